/** One row of pg_stat_activity: a client's session, or another process that a client may wait for. */
export interface Session {
  readonly pid: number
  /**
   * Start of the session in seconds since 1970, as the exact text of the server. Together with the pid it identifies the
   * session: a later session can have the same pid. Null if the role may not see it.
   */
  readonly startedAt: string | null
  /** The last change of the state, in the same form. */
  readonly changedAt: string | null
  /** `client` includes sessions whose kind the role may not see. */
  readonly kind: 'client' | 'autovacuum' | 'other'
  /** `application_name`; may be empty. */
  readonly application: string
  /** Empty for PostgreSQL's own processes. */
  readonly role: string
  readonly database: string
  /** Null for a Unix socket, or if the role may not see it. */
  readonly address: string | null
  readonly port: number | null
  /** `active`, `idle`, `idle in transaction` and so on. Null if the role may not see it. */
  readonly state: string | null
  readonly ageSeconds: number | null
  /** Null outside of a transaction. */
  readonly transactionSeconds: number | null
  readonly stateSeconds: number | null
  /** Since the start of the current or last query. */
  readonly querySeconds: number | null
  /** Such as `Lock: relation`. */
  readonly waitEvent: string | null
  /** The beginning of the current or last query. */
  readonly query: string | null
  /** For how long the session has waited for a lock. Null if it does not wait for one. */
  readonly lockWaitSeconds: number | null
  /** The pids that the session waits for; 0 is a prepared transaction. Empty beyond the first waiters. */
  readonly blockedBy: readonly number[]
  /** A session of a superuser or of replication, which `free` never ends. */
  readonly isProtected: boolean
  /** The connection that asked. */
  readonly isOwn: boolean
  /** The role and the database are those of the connection that asked. */
  readonly isSameRole: boolean
  readonly isSameDatabase: boolean
  /** The process on this machine that holds the connection, if it runs here. */
  readonly localProcess?: LocalProcess
  /** The client of PgBouncer that uses this server connection. */
  readonly poolerClient?: PoolerClient
}

/** A process of the operating system. */
export interface LocalProcess {
  readonly pid: number
  /** The beginning of its command line. */
  readonly command: string
}

/** A client of PgBouncer. */
export interface PoolerClient {
  readonly application: string
  readonly address: string | null
  readonly port: number | null
}

/** Whether the role sees only that the session exists. */
export function isHidden({ state, kind }: Session): boolean {
  return kind === 'client' && state === null
}

export function isIdle({ state }: Session): boolean {
  return state === 'idle'
}

export function isIdleInTransaction({ state }: Session): boolean {
  return state === 'idle in transaction' || state === 'idle in transaction (aborted)'
}

/** Sessions that count towards max_connections. */
export function clientSessions(sessions: readonly Session[]): readonly Session[] {
  return sessions.filter(({ kind }) => kind === 'client')
}
