import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Reads files of a project. One that is there and cannot be used is kept account of, and counts as not there. */
export class ProjectFolder {
  readonly path: string
  readonly #unread: string[] = []

  constructor(path: string) {
    this.path = path
  }

  /** Files that could not be used, and why: `package.json (no JSON)`. */
  get unread(): readonly string[] {
    return this.#unread
  }

  has(file: string): boolean {
    return existsSync(join(this.path, file))
  }

  /** What `parse` makes of a file; undefined where there is none, or where it cannot be read as `format`. */
  read<T>(file: string, format: string, parse: (text: string) => T): T | undefined {
    if (!this.has(file)) return undefined
    const text = this.#text(file)
    if (text === undefined) return undefined
    try {
      return parse(text)
    } catch {
      // What a parser says may quote the file, and a password in it.
      this.#unread.push(`${file} (no ${format})`)
      return undefined
    }
  }

  #text(file: string): string | undefined {
    try {
      return readFileSync(join(this.path, file), 'utf8')
    } catch (error) {
      this.#unread.push(`${file} (${(error as NodeJS.ErrnoException).code})`)
      return undefined
    }
  }
}
