import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import { translateFromCore } from '../output/translate-from-core.ts'
import type { Generated } from './generated-file.ts'

export interface GenerateReport {
  readonly generated: Generated
  /** The directory as the user wrote it; undefined if the files are only printed. */
  readonly folder: string | undefined
  /** The source of the plan's numbers, and its notes; empty without a plan. */
  readonly about: readonly string[]
}

/** Prints the written files and the next steps, or the content of the files. */
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
    ...(budget
      ? [
          ...budget.steps.map((step) => `  ${translateFromCore(step)}`),
          `  ${t`max ${budget.maxPerPool} for each pool`}`,
          '',
        ]
      : []),
    ...files.map(({ path }) => `${paint('green', t`wrote`)}  ${place}${path}`),
    '',
    folder === '.' ? t`Next:` : t`Next, in ${folder}:`,
    ...next.map((step) => `  ${step}`),
  ]
  return { exitCode: 0, text: lines.join('\n'), json, isFileContent: true }
}
