import { readFileSync, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import type { ProjectFolder } from '../project/project-folder.ts'
import { readFileInside } from '../project/read-regular-file.ts'
import { replaceFiles } from '../project/replace-files.ts'

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
  try {
    replaceFiles(
      files.map(({ file, text }) => {
        // A link stays, and its target is replaced.
        const target = realpathSync(join(folder, file))
        return { file: target, text, mode: statSync(target).mode }
      }),
    )
  } catch (error) {
    throw new CannotRunError(t`The files cannot be written: ${(error as Error).message}. Nothing was changed.`)
  }
}
