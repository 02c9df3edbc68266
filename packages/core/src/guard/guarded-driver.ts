import type { CloseReason, ConnectFailure, OpenContext, ResourceFactory } from '../pool/index.ts'
import type { SessionHealth } from '../postgres-errors/index.ts'
import type { ProbeSession, ShowRow } from '../topology/index.ts'
import type { ServerAddress } from './hosts/host-plan.ts'

/** Opens a driver's connections. */
export interface ServerConnections<C> extends ResourceFactory<C> {
  /**
   * Must pass each connection to `GuardedConnections.inspect` after the login, before it sends anything else.
   *
   * @param server where to connect; default: the address in the driver's options.
   */
  open(context: OpenContext, server?: ServerAddress): Promise<C>
}

/** The interface between a {@link PoolGuard} and a driver. */
export interface GuardedDriver<C> {
  readonly factory: ServerConnections<C>
  /** Default: `classifyConnectFailure`. */
  readonly classify?: (error: unknown) => ConnectFailure
  /**
   * Host, port, database and user of a connection, without secrets. Discovery results are stored under this key; undefined if the
   * driver cannot know it, for example for a stream that the application has opened.
   */
  peerOf(connection: C): string | undefined
  /** User and database of a connection, as the server or the pooler knows them. */
  loginOf(connection: C): Login
  /** The port of this end of a connection; undefined for a Unix socket, and if it is not known. */
  localPortOf(connection: C): number | undefined
  /** The probe for detection, on a connection that no caller holds. */
  probe(connection: C): ProbeSession
  /** The value of a parameter that the server or pooler reported last; undefined if it does not report it. */
  parameterOf(connection: C, name: string): string | undefined
  /** Records the errors of a connection. */
  healthOf(connection: C): SessionHealth
  /** Whether the connection was lost. */
  isLost(connection: C): boolean
  /**
   * Runs one or several statements. Resolves to the first value of the last statement's first row, as text; undefined if there is
   * no row.
   */
  queryValue(connection: C, text: string): Promise<string | null | undefined>
  /**
   * Tries to log in with an additional startup parameter, and closes the connection. Resolves to the message with which the server or
   * pooler has rejected the login; undefined if it has not.
   *
   * @param signal aborts the attempt.
   */
  answerToParameter?(name: string, signal: AbortSignal): Promise<string | undefined>
  /** Called when a connection is being closed or was lost; no caller gets it any more. */
  onClosing?(connection: C, reason: CloseReason): void
  /** What is known about a connection whose statement has not been answered. */
  awaiting(connection: C): AwaitingConnection
  /** Closes a connection at once, as if the network had lost it: its statements fail with the error. */
  breakOff(connection: C, error: Error): void
  /** Whether a caller has left a transaction open on it. */
  isInTransaction(connection: C): boolean
  /**
   * Opens the console of the PgBouncer that a connection leads to, as the same user, or the console at `url`.
   *
   * @throws the connection error.
   */
  openConsole(connection: C, options: ConsoleOptions): Promise<PoolerConsole>
}

/** What poolguard must know to ask the server about a connection. */
export interface AwaitingConnection {
  /** The server process from BackendKeyData; 0 if it is unknown. */
  readonly announcedPid: number
  /** The client does not read the server's data: the answer may have arrived. */
  readonly isUnread: boolean
}

export interface Login {
  readonly user: string
  readonly database: string
}

export interface ConsoleOptions {
  readonly url: string | undefined
  /** Timeout for the login and for each answer. */
  readonly patienceMillis: number
  readonly applicationName?: string | undefined
}

/** PgBouncer's admin console. */
export interface PoolerConsole extends AsyncDisposable {
  /** Resolves to the rows of `SHOW <what>`. Run one at a time: the console has no queue. */
  show(what: 'CLIENTS' | 'CONFIG' | 'DATABASES' | 'VERSION'): Promise<readonly ShowRow[]>
  readonly user: string
  readonly applicationName: string | undefined
  /** Resolves when the connection is closed or lost. Does not keep the process alive. */
  readonly closed: Promise<void>
}
