import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidOptionError } from '@poolguard/core'

const IN_MEMORY = ':memory:'

/** Where a database is. */
export interface DatabaseFile {
  /** Absolute, or `:memory:`. */
  readonly path: string
  readonly inMemory: boolean
  /** What a pool on it is called by default. */
  readonly name: string
}

/**
 * Reads the option `file`: a path, a `file:` URL, or what the tools of ORMs have for one (`file:./dev.db`).
 *
 * @throws {InvalidOptionError} for what is none of them.
 */
export function readDatabaseFile(file: unknown): DatabaseFile {
  if (file === IN_MEMORY) return { path: IN_MEMORY, inMemory: true, name: 'memory' }
  const found = path.resolve(pathOf(file))
  return { path: found, inMemory: false, name: path.parse(found).name }
}

function pathOf(file: unknown): string {
  const wanted = `a path, a file: URL, or '${IN_MEMORY}'`
  if (file instanceof URL && file.protocol === 'file:') return fileURLToPath(file)
  if (typeof file !== 'string' || file === '') {
    throw new InvalidOptionError('file', file, `${wanted}; is the environment variable set that it is read from?`)
  }
  if (file.startsWith('file://')) return fileURLToPath(file)
  const bare = file.startsWith('file:') ? file.slice('file:'.length) : file
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(bare)
  if (isUrl || bare === '' || (bare !== file && bare.includes('?'))) {
    // What is behind may be a password or a token.
    throw new InvalidOptionError('file', file.replace(/(:\/\/|\?).*/s, '$1...'), `${wanted}, without parameters`)
  }
  return bare
}
