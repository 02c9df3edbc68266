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
import { t } from './output/translate.ts'
import { readFileInside, readRegularFile } from './project/read-regular-file.ts'

export interface TargetOptions {
  /** The command's argument. */
  readonly url?: string | undefined
  readonly dotenv?: string | undefined
  readonly folder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Called with a message if `.env` cannot be read; without it, that is an error. */
  readonly onUnread?: (line: string) => void
}

/**
 * Finds the database: from the argument, otherwise the environment, otherwise the file `.env`. Missing parts of a URL come
 * from libpq's variables, as in libpq and pg, but the shell's PGPASSWORD is used only for its own user and host.
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
  const { url, folder, env } = options
  rememberPasswords(env)
  if (url !== undefined) {
    // Otherwise the error would name DATABASE_URL instead of the argument.
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

/** Includes unused passwords, because an error message may contain them. */
function rememberPasswords(env: TargetOptions['env']): void {
  for (const [name, value] of Object.entries(env)) if (name.endsWith('PASSWORD')) rememberSecret(value)
}

/** Like {@link findTarget}, for commands that need a database. */
export function requireTarget(options: TargetOptions): EnvironmentConnection {
  const target = findTarget(options)
  if (!target) throw new CannotRunError(t`No database configured: pass a URL, or set DATABASE_URL or PGHOST.`)
  return target
}

/** The variables of `.env` or of the `--dotenv` file; empty if there is no `.env`. */
export function readEnvFile(
  folder: string,
  { dotenv, onUnread }: Pick<TargetOptions, 'dotenv' | 'onUnread'> = {},
): Record<string, string | undefined> {
  const file = resolve(folder, dotenv ?? '.env')
  if (!existsSync(file)) {
    if (dotenv !== undefined) throw new CannotRunError(t`The file ${shownPath(dotenv)} does not exist.`)
    return {}
  }
  // A directory named .env is usually a Python virtual environment.
  if (dotenv === undefined && statSync(file).isDirectory()) return {}
  try {
    // The user trusts a file named with --dotenv; a project's .env may link anywhere.
    return parseEnv(dotenv === undefined ? readFileInside(folder, '.env') : readRegularFile(file))
  } catch (error) {
    if (dotenv === undefined && onUnread) {
      onUnread(`.env (${(error as Error).message})`)
      return {}
    }
    throw new CannotRunError(
      t`${dotenv === undefined ? '.env' : shownPath(dotenv)} cannot be read: ${(error as Error).message}.`,
    )
  }
}

/** Hides the path if it may be a URL with a secret. */
function shownPath(path: string): string {
  return path.split('/').some(mayHoldSecret) ? 'of --dotenv' : path
}
