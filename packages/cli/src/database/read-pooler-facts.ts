import {
  type ConnectionString,
  describeAddress,
  InvalidAnswerError,
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSetting,
  type PgBouncerSocket,
  type PgBouncerUser,
  readPgBouncerSockets,
  readPgBouncerUsers,
} from '@poolguard/core/postgres'
import { PgBouncerConsole } from '@poolguard/pg'
import { CannotConnectError, describeConnectError } from '../connect-errors/cannot-connect.ts'
import { CannotRunError } from '../outcome.ts'
import { withPlainTexts } from '../output/printable.ts'
import { t } from '../output/translate.ts'
import type { LocalProcess } from '../sessions/session.ts'
import { findLocalClients } from './find-local-clients.ts'

/** Answers of PgBouncer's console. */
export interface PoolerFacts {
  readonly version: string
  readonly config: ReadonlyMap<string, PgBouncerSetting>
  readonly databases: readonly PgBouncerDatabase[]
  readonly pools: readonly PgBouncerPool[]
  /** Connections of clients, with those of the console. */
  readonly clients: readonly PgBouncerSocket[]
  /** Connections to servers. */
  readonly servers: readonly PgBouncerSocket[]
  readonly users: readonly PgBouncerUser[]
  /** The processes of this machine among the clients, by the client's pointer. */
  readonly localProcesses: ReadonlyMap<string, LocalProcess>
}

/**
 * Reads PgBouncer's console; undefined if this user may not, or if there is no PgBouncer.
 *
 * @param onInvalid called with the problem if the console's answer is invalid.
 */
export async function readPoolerFacts(
  url: ConnectionString,
  onInvalid: (problem: string) => void,
): Promise<PoolerFacts | undefined> {
  try {
    return await readConsole(url)
  } catch (error) {
    if (error instanceof InvalidAnswerError) onInvalid(error.problem)
    return undefined
  }
}

/**
 * Reads the console that the user named with --pooler-url.
 *
 * @throws {CannotRunError} that says why this is not a console that can be read.
 */
export async function requirePoolerFacts(url: ConnectionString): Promise<PoolerFacts> {
  return await readConsole(url).catch((error: unknown) => {
    throw explainConsoleError(url, error)
  })
}

async function readConsole(url: ConnectionString): Promise<PoolerFacts> {
  await using console = await PgBouncerConsole.connect(url.href)
  // The console accepts one command at a time. Other poolers with such a console do not have all of them.
  const version = await console.version()
  const config = await console.config()
  const databases = await console.databases()
  const pools = await console.pools()
  const show = (what: 'CLIENTS' | 'SERVERS' | 'USERS') => console.show(what).catch(() => [])
  const clients = readPgBouncerSockets('SHOW CLIENTS', await show('CLIENTS'))
  const servers = readPgBouncerSockets('SHOW SERVERS', await show('SERVERS'))
  const users = readPgBouncerUsers(await show('USERS'))
  const localProcesses = findLocalClients(clients)
  return withPlainTexts({ version, config, databases, pools, clients, servers, users, localProcesses })
}

/** Errors of PostgreSQL, which has no such database and no such settings. */
const IS_POSTGRES = /database "pgbouncer" does not exist|unrecognized configuration parameter|syntax error at or near/i
/** PgBouncer's answer to a user in neither list. */
const NOT_ALLOWED = /not allowed|admin access needed|stats access needed/i

/** Says why the URL of --pooler-url does not lead to a console that can be read. */
export function explainConsoleError(url: ConnectionString, error: unknown): CannotRunError {
  const place = describeAddress(url.with({ database: undefined }))
  if (error instanceof InvalidAnswerError) {
    return new CannotRunError(
      t`--pooler-url ${place} does not lead to PgBouncer's console: ${error.problem}. Pass the address of PgBouncer itself.`,
    )
  }
  const { message, help } = describeConnectError(url, error)
  if (IS_POSTGRES.test(message)) {
    return new CannotRunError(
      t`--pooler-url ${place} leads to PostgreSQL, not to PgBouncer: ${message}. Pass the host and port of PgBouncer, by default port 6432.`,
    )
  }
  if (NOT_ALLOWED.test(message)) {
    return new CannotRunError(
      t`The user of --pooler-url ${place} may not read PgBouncer's console: ${message}. Add it to stats_users in pgbouncer.ini and RELOAD, or pass a user in stats_users or admin_users.`,
    )
  }
  return new CannotConnectError(t`Cannot read PgBouncer's console at ${place} (--pooler-url): ${message}.`, help)
}
