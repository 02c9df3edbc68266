import { chmodSync, readFileSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import type { ProjectFolder } from '../project/project-folder.ts'
import { readFileInside } from '../project/read-regular-file.ts'

/** The exact text of a file of the project, with its byte order mark; undefined if a write could change other bytes of it. */
export function readEditable(project: ProjectFolder, file: string): string | undefined {
  try {
    // Refuses pipes, large files, and links out of the project.
    readFileInside(project.path, file)
    const bytes = readFileSync(join(project.path, file))
    const text = bytes.toString('utf8')
    return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined
  } catch {
    return undefined
  }
}

/** A file with its new text. */
export interface NewText {
  readonly file: string
  readonly text: string
}

/**
 * Replaces the texts of files that exist, all of them or none; their permissions stay.
 *
 * @throws {CannotRunError} if one cannot be written.
 */
export function replaceTexts(folder: string, files: readonly NewText[]): void {
  const drafts: { draft: string; target: string }[] = []
  try {
    for (const { file, text } of files) {
      // A link stays, and its target is replaced.
      const target = realpathSync(join(folder, file))
      const draft = `${target}.poolguard-${process.pid}`
      drafts.push({ draft, target })
      writeFileSync(draft, text, { flag: 'wx' })
      chmodSync(draft, statSync(target).mode)
    }
    for (const { draft, target } of drafts) renameSync(draft, target)
  } catch (error) {
    for (const { draft } of drafts) rmSync(draft, { force: true })
    throw new CannotRunError(t`The files cannot be written: ${(error as Error).message}. Nothing was changed.`)
  }
}
