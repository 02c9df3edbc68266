import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseEnv } from 'node:util'
import { InvalidOptionError } from '@poolguard/core'
import { hiddenTexts, mayHoldSecret } from '@poolguard/core/adapter'
import { parseConnectionString } from '@poolguard/core/postgres'
import { connectionFromEnvironment, type EnvironmentConnection } from './environment/connection-from-environment.ts'
import { withoutForeignPassword } from './environment/own-password.ts'
import { CannotRunError } from './outcome.ts'
import { rememberSecret } from './output/printable.ts'
import { readFileInside, readRegularFile } from './project/read-regular-file.ts'

export interface TargetOptions {
  /** The argument, if there was one. */
  readonly url?: string | undefined
  readonly dotenv?: string | undefined
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Called with a line about a `.env` that cannot be read, instead of an error. */
  readonly onUnread?: (line: string) => void
}

/**
 * Where the database is: the argument, else the environment, else the file `.env`. What a URL leaves open is filled from
 * libpq's variables, as libpq and pg do, but the shell's PGPASSWORD goes only to the user and the host that it is for.
 *
 * @returns undefined where nothing says it.
 * @throws {ConnectionStringError} for a URL that cannot be read; {@link CannotRunError} for a file that is not there.
 */
export function findTarget(options: TargetOptions): EnvironmentConnection | undefined {
  const found = readTarget(options)
  if (found)
    for (const secret of [found.url, found.direct].flatMap((url) => (url ? hiddenTexts(url) : [])))
      rememberSecret(secret)
  return found
}

function readTarget(options: TargetOptions): EnvironmentConnection | undefined {
  const { url, folder, env } = options
  rememberPasswords(env)
  if (url !== undefined) {
    // So that a bad one is not blamed on a variable.
    parseConnectionString(url)
    const libpq = Object.fromEntries(Object.entries(env).filter(([name]) => name.startsWith('PG')))
    return connectionFromEnvironment({ ...libpq, DATABASE_URL: url, USE_PGBOUNCER: undefined })
  }
  try {
    const file = readEnvFile(folder, options)
    rememberPasswords(file)
    return withoutForeignPassword(connectionFromEnvironment({ ...file, ...env }), file, env)
  } catch (error) {
    if (error instanceof InvalidOptionError && error.option === 'DATABASE_URL') return undefined
    throw error
  }
}

/** Also those that are not used: a message about them may hold them. */
function rememberPasswords(env: TargetOptions['env']): void {
  for (const [name, value] of Object.entries(env)) if (name.endsWith('PASSWORD')) rememberSecret(value)
}

/** As {@link findTarget}, for a command that can do nothing without a database. */
export function requireTarget(options: TargetOptions): EnvironmentConnection {
  const target = findTarget(options)
  if (!target) throw new CannotRunError('Say where the database is: a URL, DATABASE_URL or PGHOST.')
  return target
}

/** The variables of `.env`, or of the file that was named; none where there is no `.env`. */
export function readEnvFile(
  folder: string,
  { dotenv, onUnread }: Pick<TargetOptions, 'dotenv' | 'onUnread'> = {},
): Record<string, string | undefined> {
  const file = resolve(folder, dotenv ?? '.env')
  if (!existsSync(file)) {
    if (dotenv !== undefined) throw new CannotRunError(`There is no file ${shownPath(dotenv)}.`)
    return {}
  }
  // A folder of that name is somebody else's: a virtual environment of Python's.
  if (dotenv === undefined && statSync(file).isDirectory()) return {}
  try {
    // The user trusts a file that they name; a project's own .env may be a link to anything.
    return parseEnv(dotenv === undefined ? readFileInside(folder, '.env') : readRegularFile(file))
  } catch (error) {
    if (dotenv === undefined && onUnread) {
      onUnread(`.env (${(error as Error).message})`)
      return {}
    }
    throw new CannotRunError(
      `${dotenv === undefined ? '.env' : shownPath(dotenv)} cannot be read: ${(error as Error).message}.`,
    )
  }
}

/** Of a URL in its place no part is shown. */
function shownPath(path: string): string {
  return path.split('/').some(mayHoldSecret) ? 'of the name that --dotenv gives' : path
}
