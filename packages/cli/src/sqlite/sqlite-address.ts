import { existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { CannotRunError } from '../outcome.ts'
import { messageOf } from '../output/message-of.ts'
import { t } from '../output/translate.ts'

/** A SQLite database, as an address names it. */
export interface SqliteAddress {
  /** Absolute. */
  readonly path: string
  /** The variable that names it, or `the argument`. */
  readonly source: string
}

/** Variables that name the file of a SQLite database. */
const VARIABLES = ['DATABASE_URL', 'DATABASE_FILE', 'SQLITE_FILE', 'SQLITE_URL'] as const
const FILE_NAME = /\.(?:db|sqlite|sqlite3|db3)$/i

/**
 * The file of `file:quota.db`, `file:///data/quota.db`, `sqlite:quota.db`, or a path that ends in .db or .sqlite; undefined for
 * other addresses.
 */
export function sqlitePath(address: string, folder: string): string | undefined {
  const [, scheme, rest = ''] = /^(file|sqlite3?):(.*)$/i.exec(address) ?? []
  if (scheme === undefined) {
    // One letter is a drive of Windows, not a scheme.
    const isPath = FILE_NAME.test(address) && !/^[a-z][\w+.-]+:/i.test(address)
    return isPath ? resolve(folder, address) : undefined
  }
  // Prisma and others add parameters.
  const path = rest.split(/[?#]/)[0] ?? ''
  if (path.startsWith('///') && scheme.toLowerCase() === 'file') return pathOf(`file:${path}`)
  return locate(path.replace(/^\/\/(?=[^/])/, ''), folder)
}

/** @throws {CannotRunError} for a URL that is no path on this system: on Windows, a URL without a drive. */
function pathOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch (error) {
    throw new CannotRunError(t`The URL of the SQLite file names no file on this system: ${messageOf(error)}.`)
  }
}

/** Prisma up to 6 reads relative paths from the folder of its schema. */
function locate(path: string, folder: string): string {
  const here = resolve(folder, path)
  const besideSchema = resolve(folder, 'prisma', path)
  return !existsSync(here) && existsSync(besideSchema) ? besideSchema : here
}

/** The SQLite database of the argument, or without one of the environment. */
export function findSqlite(
  url: string | undefined,
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): SqliteAddress | undefined {
  if (url !== undefined) {
    const path = sqlitePath(url, folder)
    return path === undefined ? undefined : { path, source: 'the argument' }
  }
  for (const name of VARIABLES) {
    const value = env[name]
    // The first variable that is set decides: it is the app's database.
    if (value) {
      const path = name.endsWith('FILE') ? resolve(folder, value) : sqlitePath(value, folder)
      return path === undefined ? undefined : { path, source: name }
    }
  }
  return undefined
}

/** The path for people: relative names stay short. */
export function showPath(path: string, folder: string): string {
  return path.startsWith(join(folder, '/')) ? path.slice(folder.length + 1) : path.length > 60 ? basename(path) : path
}
