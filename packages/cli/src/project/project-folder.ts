import { lstatSync } from 'node:fs'
import { join } from 'node:path'
import { readFileInside, UnreadableFileError } from './read-regular-file.ts'

/**
 * Reads files of an untrusted project. A file that is there and cannot be used becomes a line of the report,
 * and counts as not there.
 */
export class ProjectFolder {
  readonly path: string
  readonly #unread = new Set<string>()

  constructor(path: string) {
    this.path = path
  }

  /** Files that could not be used, and why: `package.json (no JSON)`. */
  get unread(): readonly string[] {
    return [...this.#unread]
  }

  /** Whether a file is in its place, be it a link that leads nowhere. */
  has(file: string): boolean {
    try {
      return lstatSync(join(this.path, file), { throwIfNoEntry: false }) !== undefined
    } catch {
      return false
    }
  }

  /** What `parse` makes of a file; undefined if there is none, or if it cannot be read as `format`. */
  read<T>(file: string, format: string, parse: (text: string) => T): T | undefined {
    if (!this.has(file)) return undefined
    try {
      return parse(readFileInside(this.path, file))
    } catch (error) {
      // The message of a parser may quote the file, and a password in it.
      this.leaveOut(file, error instanceof UnreadableFileError ? error.message : `no ${format}`)
      return undefined
    }
  }

  /** Reports that a file, or a part of the project, was not read. */
  leaveOut(what: string, why: string): void {
    this.#unread.add(`${what} (${why})`)
  }
}
