import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import type { Generated } from './generated-file.ts'

export interface GenerateReport {
  readonly generated: Generated
  /** As it was given; undefined where the files are printed only. */
  readonly folder: string | undefined
  /** Where the plan's numbers are from, and what it does not see; empty where there is no plan. */
  readonly about: readonly string[]
}

/** What was written and what comes next; or the files themselves. */
export function generateOutcome({ generated, folder, about }: GenerateReport): Outcome {
  const { files, next, budget } = generated
  const json = { written: folder !== undefined, folder, files, next, about, budget }
  if (folder === undefined) {
    const text = files.map(({ path, content }) => `${paint('bold', `# ${path}`)}\n${content}`).join('\n')
    return { exitCode: 0, text: text.trimEnd(), json, isFileContent: true }
  }
  const place = folder === '.' ? '' : `${folder.replace(/\/$/, '')}/`
  const lines = [
    ...(about.length > 0 ? [...about, ''] : []),
    ...(budget ? [...budget.steps.map((step) => `  ${step}`), `  max ${budget.maxPerPool} for each pool`, ''] : []),
    ...files.map(({ path }) => `${paint('green', 'wrote')}  ${place}${path}`),
    '',
    folder === '.' ? 'Next:' : `Next, in ${folder}:`,
    ...next.map((step) => `  ${step}`),
  ]
  return { exitCode: 0, text: lines.join('\n'), json, isFileContent: true }
}
