import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { InvalidOptionError } from '@poolguard/core'
import { hiddenTexts } from '@poolguard/core/adapter'
import { parseConnectionString } from '@poolguard/core/postgres'
import { connectionFromEnvironment, type EnvironmentConnection } from './environment/connection-from-environment.ts'
import { expandVariables } from './environment/expand-variables.ts'
import { withoutForeignPassword } from './environment/own-password.ts'
import { ownService } from './environment/own-service.ts'
import { rememberVariables } from './environment/remember-secrets.ts'
import { CannotRunError } from './outcome.ts'
import { isHarmlessPath } from './output/is-harmless-path.ts'
import { rememberSecret } from './output/printable.ts'
import { t } from './output/translate.ts'
import { readFolderEnvironment } from './project/apps/read-app-environment.ts'
import { ProjectFolder } from './project/project-folder.ts'
import { readRegularFile } from './project/read-regular-file.ts'
import { findSqlite, showPath } from './sqlite/sqlite-address.ts'

export interface TargetOptions {
  /** The command's argument. */
  readonly url?: string | undefined
  readonly dotenv?: string | undefined
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Variables of `.env` files that have been read already. */
  readonly variables?: Readonly<Record<string, string | undefined>> | undefined
  /** Variables with the URL that the app's sources name; they come before DATABASE_URL. */
  readonly names?: readonly string[]
  /** Called with a message if `.env` cannot be read; without it, that is an error. */
  readonly onUnread?: (line: string) => void
}

/**
 * Finds the database: from the argument, otherwise the environment, otherwise the `.env` files of the directory. Missing parts of a URL come
 * from libpq's service file and variables, as in libpq, but the shell's PGPASSWORD is used only for its own user and host, and a service
 * only where no project file says where to connect.
 *
 * @returns undefined if no database is configured.
 * @throws {ConnectionStringError} for an invalid URL; {@link CannotRunError} for a missing file.
 */
export function findTarget(options: TargetOptions): EnvironmentConnection | undefined {
  const found = readTarget(options)
  if (found)
    for (const secret of [found.url, found.direct].flatMap((url) => (url ? hiddenTexts(url) : [])))
      rememberSecret(secret)
  return found
}

function readTarget(options: TargetOptions): EnvironmentConnection | undefined {
  const { url, env } = options
  rememberVariables(env)
  if (url !== undefined) {
    rejectSqlite(url, options.folder, {})
    // Otherwise the error would name DATABASE_URL instead of the argument.
    parseConnectionString(url)
    const libpq = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('PG')))
    return connectionFromEnvironment({ ...libpq, DATABASE_URL: url, USE_PGBOUNCER: undefined }, [], ownService({}, env))
  }
  try {
    const file = options.variables ?? readEnvironmentFiles(options)
    rememberVariables(file)
    rejectSqlite(undefined, options.folder, { ...file, ...env })
    const found = connectionFromEnvironment({ ...file, ...env }, options.names, ownService(file, env))
    return withoutForeignPassword(found, file, env)
  } catch (error) {
    if (error instanceof InvalidOptionError && error.option === 'DATABASE_URL') return undefined
    throw error
  }
}

/** The variables of the environment and of the files that it reads, as {@link findTarget} sees them. */
export function readVariables(options: TargetOptions): Readonly<Record<string, string | undefined>> {
  const file = options.variables ?? readEnvironmentFiles(options)
  rememberVariables(file)
  return { ...file, ...options.env }
}

/** @throws {CannotRunError} for a SQLite file, which only some commands understand. */
function rejectSqlite(url: string | undefined, folder: string, variables: TargetOptions['env']): void {
  const sqlite = findSqlite(url, folder, variables)
  if (!sqlite) return
  throw new CannotRunError(
    t`${sqlite.source} names the SQLite file ${showPath(sqlite.path, folder)}, and this command works with PostgreSQL. For SQLite: verify and doctor check the file; monitor and stress take the URL of the app, such as http://127.0.0.1:3000/admin/db-pool-stats.`,
  )
}

/** Like {@link findTarget}, for commands that need a database. */
export function requireTarget(options: TargetOptions): EnvironmentConnection {
  const target = findTarget(options)
  if (!target) throw new CannotRunError(t`No database configured: pass a URL, or set DATABASE_URL or PGHOST.`)
  return target
}

/** The variables of the directory's `.env` files, in the order that its framework reads them, or of the `--dotenv` file. */
function readEnvironmentFiles(options: TargetOptions): Readonly<Record<string, string | undefined>> {
  const { folder, dotenv, env, onUnread } = options
  if (dotenv !== undefined) return expandVariables(readNamedFile(folder, dotenv), env)
  const project = new ProjectFolder(folder)
  const { variables } = readFolderEnvironment(project, env)
  for (const line of project.unread) {
    if (!onUnread) throw new CannotRunError(t`The environment cannot be read: ${line}.`)
    onUnread(line)
  }
  return variables
}

/** The user trusts a file named with --dotenv, wherever it is. */
function readNamedFile(folder: string, dotenv: string): Record<string, string | undefined> {
  const file = resolve(folder, dotenv)
  if (!existsSync(file)) throw new CannotRunError(t`The file ${shownPath(dotenv)} does not exist.`)
  try {
    return parseEnv(readRegularFile(file))
  } catch (error) {
    throw new CannotRunError(t`${shownPath(dotenv)} cannot be read: ${(error as Error).message}.`)
  }
}

/** Hides the path if it may be a URL with a secret. */
function shownPath(path: string): string {
  return isHarmlessPath(path) ? path : 'of --dotenv'
}
