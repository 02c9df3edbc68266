import type { QueryResultRow } from 'pg'
import type { ConnectionTarget } from './credentials.ts'

/** The major versions that the tests know. */
export const postgresVersions = [15, 16, 17, 18] as const

export type PostgresVersion = (typeof postgresVersions)[number]

export interface PostgresOptions {
  /** Default 18. */
  readonly version?: PostgresVersion
  /** Sets `max_connections`. PostgreSQL keeps three of them (`superuser_reserved_connections`) from plain roles. */
  readonly maxConnections?: number
  /** Any setting of postgresql.conf. */
  readonly settings?: Readonly<Record<string, string | number>>
  /** Of the server's command line, where no file has a say: `['-c', 'work_mem=1MB']`. */
  readonly arguments?: readonly string[]
  /** Starts as a standby that streams from this address; see `startReplication`. */
  readonly standbyOf?: { readonly host: string; readonly port: number }
}

/** `fast` ends all sessions first, `smart` waits for them, `immediate` does as in a crash. */
export type StopMode = 'smart' | 'fast' | 'immediate'

/** What the postmaster understands, see https://www.postgresql.org/docs/current/server-shutdown.html */
export const stopSignals = {
  smart: 'SIGTERM',
  fast: 'SIGINT',
  immediate: 'SIGQUIT',
} as const satisfies Record<StopMode, NodeJS.Signals>

/** A real, running PostgreSQL with a superuser, a plain role `app`, and a database `app` that belongs to it. */
export interface PostgresServer extends AsyncDisposable {
  /** As the server says it, such as `18.4`. */
  readonly version: string
  readonly host: string
  readonly port: number
  /** As the plain role `app`, database `app`. */
  readonly url: string
  /** As the superuser, database `app`. */
  readonly adminUrl: string
  /** Missing parts come from `url`; the password of a user that the harness knows is filled in. */
  urlFor(target?: ConnectionTarget): string
  /** As the superuser, database `app`, on a short connection of its own. */
  query<Row extends QueryResultRow = QueryResultRow>(sql: string, params?: readonly unknown[]): Promise<Row[]>
  /** Client connections to the database `app`, other than the one that asks. */
  connectionCount(): Promise<number>
  /** What the server has written to its log so far; still there after `stop`. */
  log(): string
  /** Ends the server and removes its data. May be called twice. */
  stop(mode?: StopMode): Promise<void>
  /** Stops if it still runs, and starts again: same port, same data. Also the way back after `kill`. */
  restart(): Promise<void>
  /** Sends the main process a signal. Resolves when it has ended, or at once for one that does not end it. */
  kill(signal: NodeJS.Signals): Promise<void>
}
