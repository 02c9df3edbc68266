import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** A file and its new text. */
export interface NewFile {
  readonly file: string
  readonly text: string
  /** Permissions; the process's default if absent. */
  readonly mode?: number
}

/**
 * Writes all files, or none: renames the drafts only after all of them have been written.
 *
 * @throws the file system's error if one cannot be written.
 */
export function replaceFiles(files: readonly NewFile[]): void {
  const drafts: { draft: string; file: string }[] = []
  try {
    for (const { file, text, mode } of files) {
      const draft = `${file}.poolguard-${process.pid}`
      mkdirSync(dirname(file), { recursive: true })
      drafts.push({ draft, file })
      writeFileSync(draft, text, { flag: 'wx' })
      if (mode !== undefined) chmodSync(draft, mode)
    }
    for (const { draft, file } of drafts) renameSync(draft, file)
  } catch (error) {
    for (const { draft } of drafts) rmSync(draft, { force: true })
    throw error
  }
}
