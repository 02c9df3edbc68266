import type { CloseReason, ConnectFailure, ResourceFactory } from '../pool/index.ts'
import type { ProbeSession, ShowRow } from '../topology/index.ts'

/** What a {@link PoolGuard} needs of a driver. */
export interface GuardedDriver<C> {
  /** Its `open` hands a connection to {@link PoolGuard.meet} after the login, before anything else is sent on it. */
  readonly factory: ResourceFactory<C>
  /** Default: `classifyConnectFailure`. */
  readonly classify?: (error: unknown) => ConnectFailure
  /**
   * Where a connection leads to: host, port, database and user, and nothing secret. Verdicts are remembered by it; undefined
   * where that does not tell, as with a stream that somebody else has opened.
   */
  peerOf(connection: C): string | undefined
  /** What a connection has logged in to, as the server or the pooler knows it. */
  loginOf(connection: C): Login
  /** A connection that no caller has, as the detection of poolers sees it. */
  probe(connection: C): ProbeSession
  /** Whether its connection was lost. */
  isLost(connection: C): boolean
  /**
   * Runs a text of one statement or several, and answers the first value of the last one's first row, as text; undefined
   * where that has no row.
   */
  ask(connection: C, text: string): Promise<string | null | undefined>
  /** A connection is lent no more: it is being closed, or was lost. */
  gone?(connection: C, reason: CloseReason): void
  /** Somebody has left a transaction open on it. */
  isInTransaction(connection: C): boolean
  /**
   * Opens the console of the PgBouncer that a connection leads to, as the same user; or the one that is named.
   *
   * @throws what connecting throws.
   */
  openConsole(connection: C, options: ConsoleOptions): Promise<PoolerConsole>
}

export interface Login {
  readonly user: string
  readonly database: string
}

export interface ConsoleOptions {
  readonly url: string | undefined
  /** For logging in, and for each answer. */
  readonly patienceMillis: number
  readonly applicationName?: string | undefined
}

/** PgBouncer's admin console. */
export interface PoolerConsole extends AsyncDisposable {
  /** The rows of `SHOW <what>`. One at a time: the console takes no more. */
  show(what: 'CLIENTS' | 'CONFIG' | 'DATABASES' | 'VERSION'): Promise<readonly ShowRow[]>
  readonly user: string
  readonly applicationName: string | undefined
  /** Resolves when the connection to it is closed, or lost. It keeps no process alive. */
  readonly closed: Promise<void>
}
