import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { InvalidOptionError } from '@poolguard/core/adapter'

const IN_MEMORY = ':memory:'

/** The location of a database. */
export interface DatabaseFile {
  /** An absolute path, or `:memory:`. */
  readonly path: string
  readonly inMemory: boolean
  /** The default name of a pool on this file. */
  readonly name: string
}

/**
 * Reads the option `file`: a path, a `file:` URL, or the ORMs' spelling of one (`file:./dev.db`).
 *
 * @throws {InvalidOptionError} for any other value.
 */
export function readDatabaseFile(file: unknown): DatabaseFile {
  if (file === IN_MEMORY) return { path: IN_MEMORY, inMemory: true, name: 'memory' }
  const found = path.resolve(pathOf(file))
  return { path: found, inMemory: false, name: path.parse(found).name }
}

function pathOf(file: unknown): string {
  const wanted = `a path, a file: URL, or '${IN_MEMORY}'`
  if (file instanceof URL && file.protocol === 'file:') return pathOfUrl(file)
  if (typeof file !== 'string' || file === '') {
    throw new InvalidOptionError('file', file, `${wanted}. Is its environment variable set?`)
  }
  if (file.startsWith('file://')) return pathOfUrl(file)
  const bare = file.startsWith('file:') ? file.slice('file:'.length) : file
  const isUrl = /^[a-z][a-z0-9+.-]+:/i.test(bare)
  if (isUrl || bare === '' || (bare !== file && bare.includes('?'))) {
    // The rest may contain a password or a token.
    throw new InvalidOptionError('file', file.replace(/(:\/\/|\?).*/s, '$1...'), `${wanted}, without parameters`)
  }
  return bare
}

/** @throws {InvalidOptionError} for a URL that is no path on this system: on Windows, a URL without a drive. */
function pathOfUrl(url: string | URL): string {
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw new InvalidOptionError('file', url, `a file: URL of this system (${(error as Error).message})`)
  }
}
