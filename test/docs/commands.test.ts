import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasSignals, type PostgresServer, startPostgres } from '../harness/index.ts'
import { runPoolguard } from '../integration/run-poolguard.ts'
import { documents, ROOT } from './documents.ts'

const COMMAND = /^npx poolguard /
/** It serves its page until it is interrupted. */
const SERVES = 'npx poolguard ui'
/** What would go on, or take its time, ends soon. */
const ENDING: Readonly<Record<string, readonly string[]>> = { monitor: ['--samples', '1'], stress: ['--duration', '1'] }

const all = documents()
const shown = new Set(
  all.flatMap(({ blocks, codeSpans }) => [
    ...blocks.filter(({ language }) => language === 'sh').flatMap(({ code }) => code.split('\n')),
    // In a sentence a bare name is no command.
    ...codeSpans.filter((text) => text.includes(' --')),
  ]),
)
const lines = new Set([...shown].map((line) => line.replace(/\s+#.*$/, '')))

describe('every command that is shown', () => {
  let server: PostgresServer
  const folder = mkdtempSync(join(tmpdir(), 'poolguard-docs-'))
  beforeAll(async () => {
    server = await startPostgres({ maxConnections: 40 })
  })
  afterAll(async () => {
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  })

  const commands = [...lines].filter((line) => COMMAND.test(line))
  test.for(commands.filter((line) => hasSignals || !line.startsWith(SERVES)))('%s', async (line) => {
    const [command = '', ...args] = line.replace(COMMAND, '').trim().split(/\s+/)
    const needsTerminal = command === 'top'
    const { code, stderr } = await runPoolguard(
      [command, ...args, ...(args.includes('--samples') ? [] : (ENDING[command] ?? []))],
      {
        env: { DATABASE_URL: server.url },
        folder,
        interruptsAtLine: line.startsWith(SERVES),
      },
    )
    if (needsTerminal) expect(stderr).toContain('top needs a terminal')
    // 1: it reports findings, because the test server is not configured for production.
    else expect([0, 1], stderr).toContain(code)
  })
})

test('every package that is to be installed is one of ours, or one that they ask for', () => {
  const manifests = all
    .filter(({ path }) => /^packages\/[^/]+\/README\.md$/.test(path))
    .map(({ path }) => JSON.parse(readFileSync(join(ROOT, path, '../package.json'), 'utf8')))
  const known = new Set(
    manifests.flatMap(({ name, peerDependencies = {} }) => [name, ...Object.keys(peerDependencies)]),
  )
  const installed = [...lines]
    .filter((line) => line.startsWith('npm install '))
    .flatMap((line) => line.split(/\s+/).slice(2))
    .filter((name) => !name.startsWith('-'))
  expect(installed.length).toBeGreaterThan(10)
  expect(installed.filter((name) => !known.has(name))).toEqual([])
})

/** Events of pools, which are written in the same way. */
const EVENTS = ['query-after-release']

test('every rule of doctor that troubleshooting names is there', () => {
  const rules = readFileSync(join(ROOT, 'packages/cli/README.md'), 'utf8')
  const named = all
    .filter(({ path }) => path === 'docs/troubleshooting.md')
    .flatMap(({ codeSpans }) => codeSpans.filter((text) => /^[a-z]+(-[a-z]+)+$/.test(text)))
    .filter((text) => !EVENTS.includes(text))
  expect(named.length).toBeGreaterThan(8)
  for (const rule of named) expect(rules).toContain(`| \`${rule}\` `)
})
