import type { QueryResultRow } from 'pg'
import type { ConnectionTarget } from './credentials.ts'
import type { PostgresServer } from './postgres-server.ts'

/**
 * 1.18 knows no prepared statements in transaction mode, 1.24 does, 1.26 announces itself to its clients.
 * `'1.26'` stands for 1.26 or newer: only the newest is available.
 */
export const pgBouncerVersions = ['1.18', '1.24', '1.26'] as const

export type PgBouncerVersion = (typeof pgBouncerVersions)[number]

export type PoolMode = 'session' | 'transaction' | 'statement'

export interface PgBouncerOptions {
  /** Without it: whichever is found first, see `find-pgbouncer.ts`. */
  readonly version?: PgBouncerVersion
  /** Default `transaction`. */
  readonly poolMode?: PoolMode
  /** Any setting of the `[pgbouncer]` section. */
  readonly settings?: Readonly<Record<string, string | number>>
  readonly upstream: PostgresServer
}

/** A real, running PgBouncer. The upstream's users log in with the same names and passwords, to any of its databases. */
export interface PgBouncerServer extends AsyncDisposable {
  /** As the program prints it, such as `1.24.1`. */
  readonly version: string
  readonly poolMode: PoolMode
  readonly host: string
  readonly port: number
  /** As the plain role `app`, database `app`. */
  readonly url: string
  /** The console, as one who may do everything. */
  readonly adminUrl: string
  /** The console, as one who may only look. */
  readonly statsUrl: string
  /** Missing parts come from `url`; the password of a user that the harness knows is filled in. */
  urlFor(target?: ConnectionTarget): string
  /** The rows of `SHOW <what>`. */
  show<Row extends QueryResultRow = QueryResultRow>(what: string): Promise<Row[]>
  /** What it has written to its log so far; still there after `stop`. */
  log(): string
  /** May be called twice. */
  stop(): Promise<void>
  /** Stops if it still runs, and starts again on the same port. Also the way back after `kill`. */
  restart(): Promise<void>
  /** Sends it a signal. Resolves when it has ended, or at once for one that does not end it. */
  kill(signal: NodeJS.Signals): Promise<void>
}
