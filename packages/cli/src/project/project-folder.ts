import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { t } from '../output/translate.ts'
import { entriesOf } from './entries-of.ts'
import { readFileInside, UnreadableFileError } from './read-regular-file.ts'

/**
 * Reads files of an untrusted project. An unusable file becomes a line in the report, and counts as missing.
 */
export class ProjectFolder {
  readonly path: string
  readonly #unread = new Set<string>()

  constructor(path: string) {
    this.path = path
  }

  /** Files that could not be read, and why: `package.json (invalid JSON)`. */
  get unread(): readonly string[] {
    return [...this.#unread]
  }

  /** Whether a file exists, including a dangling link. */
  has(file: string): boolean {
    try {
      return lstatSync(join(this.path, file), { throwIfNoEntry: false }) !== undefined
    } catch {
      return false
    }
  }

  /** The names of the files and links in a directory; none if it cannot be read. */
  list(folder: string): readonly string[] {
    return entriesOf(join(this.path, folder))
      .filter((entry) => !entry.isDirectory())
      .map(({ name }) => name)
  }

  /** The parsed file; undefined if it does not exist, or if it is not valid `format`. */
  read<T>(file: string, format: string, parse: (text: string) => T): T | undefined {
    if (!this.has(file)) return undefined
    try {
      return parse(readFileInside(this.path, file))
    } catch (error) {
      // A parser's message may quote the file, including a password.
      this.reportSkipped(file, error instanceof UnreadableFileError ? error.message : t`invalid ${format}`)
      return undefined
    }
  }

  /** Reports that a file, or part of the project, was not read. */
  reportSkipped(what: string, why: string): void {
    this.#unread.add(`${what} (${why})`)
  }
}
