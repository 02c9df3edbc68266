import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from '../docs/documents.ts'
import { GROUPS, type Group, type InstalledPackage, type Stack, type Topic } from './stacks.ts'

export const COMPATIBILITY = 'docs/compatibility.md'

/** One test that a project of Vitest has run. */
export interface TestRun {
  readonly project: string
  /** Below `test/`, with slashes. */
  readonly file: string
  readonly fullName: string
  readonly state: 'passed' | 'failed' | 'skipped' | 'pending'
}

function versionOf({ name, alias = name, folder = '' }: InstalledPackage): string {
  const manifest = join(ROOT, 'test', folder, 'node_modules', alias, 'package.json')
  return (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version
}

function runsOf({ project }: Stack, { file, containing = '' }: Topic, runs: readonly TestRun[]): readonly TestRun[] {
  const part = containing.toLowerCase()
  return runs.filter((run) => run.project === project && run.file === file && run.fullName.toLowerCase().includes(part))
}

/** Why the page cannot be written: tests that have failed, and topics without a test. */
function problems(runs: readonly TestRun[]): readonly string[] {
  const topics = GROUPS.flatMap(({ stacks }) =>
    stacks.flatMap((stack) => stack.topics.map((topic) => ({ stack, topic }))),
  )
  return topics.flatMap(({ stack, topic }) => {
    const ofTopic = runsOf(stack, topic, runs)
    const failed = ofTopic.filter(({ state }) => state === 'failed')
    if (failed.length > 0)
      return failed.map(({ fullName }) => `${stack.name}, ${topic.title}: "${fullName}" has failed`)
    if (ofTopic.some(({ state }) => state === 'passed')) return []
    return `${stack.name}, ${topic.title}: no test of ${topic.file} has passed in the project "${stack.project}"`
  })
}

function rowOf(stack: Stack, runs: readonly TestRun[]): string {
  const versions = stack.packages.map((installed) => `${installed.name} ${versionOf(installed)}`)
  const topics = stack.topics.map((topic) => {
    const passed = runsOf(stack, topic, runs).filter(({ state }) => state === 'passed')
    return `[${topic.title}](../test/${topic.file}) ${passed.length}`
  })
  return `| ${stack.name} | ${versions.join(', ') || stack.origin} | ${topics.join(', ')} |`
}

function sectionOf({ title, stacks }: Group, runs: readonly TestRun[]): string {
  const rows = stacks.map((stack) => rowOf(stack, runs))
  return `## ${title}\n\n| Stack | Versions | Passed tests |\n| --- | --- | --- |\n${rows.join('\n')}\n`
}

/**
 * The document: which stacks the tests have run, in which versions, and how many tests of each topic have passed.
 *
 * @throws Error if a test of a stack has failed, or none has run
 */
export function compatibilityDocument(runs: readonly TestRun[], date: Date): string {
  const found = problems(runs)
  if (found.length > 0) throw new Error(`${COMPATIBILITY} is not written:\n${found.join('\n')}`)
  const sections = GROUPS.map((group) => sectionOf(group, runs))
  return `# Compatibility

What the tests have run with, in which versions, and how many tests of each topic have passed: on real servers, with Node ${process.versions.node} on
${process.platform}, on ${date.toISOString().slice(0, 10)}. \`pnpm generate:compatibility\` runs them and writes this page. The ranges that are supported, and the policy, are in
[Supported versions](support.md).

${sections.join('\n')}`
}
