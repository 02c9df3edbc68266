import type {
  InvalidOptionError,
  PoolCounts,
  PoolInsight,
  PoolSettings,
  PoolSnapshot,
  ResolvedSettings,
} from '@poolguard/core'
import type { Notification, Pool, PoolClient, QueryConfig, QueryResult, QueryResultRow } from 'pg'
import type { GuardedPoolConfig } from './guarded-pool-config.ts'
import type { Listener, ListenOptions } from './listen/channel-listeners.ts'

/** The class pg.Pool, of any copy of pg. */
export type PoolClass = typeof Pool

/** Options of `GuardedPool.connect`. */
export interface ConnectOptions {
  /** When it is aborted, the caller leaves the queue; later, the client's running statement is cancelled on the server. */
  readonly signal?: AbortSignal | undefined
  /** The lane that the connection is acquired in (option `lanes`). Default: that of `runInLane`, else `default`. */
  readonly lane?: string | undefined
  /** Which server to use, in a pool with replicas. Default: the primary. */
  readonly on?: 'primary' | 'replica' | undefined
}

/** A query that can be aborted, and that can name its lane and its server. */
export interface AbortableQuery extends QueryConfig {
  /** As in {@link ConnectOptions}. */
  readonly lane?: string | undefined
  /**
   * When it is aborted, the query rejects with the signal's reason: a waiting caller leaves the queue, a running statement is cancelled on
   * the server. A statement that shares its connection (`pool.pipeline`) is not cancelled.
   */
  readonly signal?: AbortSignal | undefined
  /** Which server to use, in a pool with replicas. Default: a replica for a statement that only reads (`routeReads`), else the primary. */
  readonly on?: 'primary' | 'replica' | undefined
}

/** A pg.Pool that stays within the connection limits of the database and reports its settings and state. */
export interface GuardedPool extends Pool {
  /** As `pg.Pool.connect`, which takes no options. */
  connect: Pool['connect'] & ((options: ConnectOptions) => Promise<PoolClient>)
  /** As `pg.Pool.query`, with a signal and a lane. */
  query: Pool['query'] & (<R extends QueryResultRow = QueryResultRow>(query: AbortableQuery) => Promise<QueryResult<R>>)
  /**
   * Resolves when detection has finished: the pool then knows whether there is a pooler in between, how many connections the database
   * allows, and its own bounds. Optional: queries work without it. The pool repeats the detection after the server was unreachable; with
   * `refresh: true` it does so now.
   *
   * @throws the connect error if the database cannot be reached.
   */
  ready(options?: { readonly refresh?: boolean }): Promise<PoolSnapshot>
  /**
   * Subscribes to the notifications of a channel (`NOTIFY`). All subscriptions of the pool use one connection, which counts towards `max`; if it
   * is lost, the pool listens again on another one.
   *
   * @param onNotification called with the payload of each notification.
   * @returns when the server has confirmed the subscription.
   * @throws {SessionStateError} behind a pooler that keeps no session: use a pool with the direct URL. {@link InvalidOptionError} for a
   * channel name that is empty or too long. The error of {@link GuardedPool.connect} if there is no connection.
   * @example
   * const listener = await pool.listen('orders', (payload) => refresh(JSON.parse(payload)), { onReconnect: () => refreshAll() })
   * // later
   * await listener.close()
   */
  listen(
    channel: string,
    onNotification: (payload: string, notification: Notification) => void,
    options?: ListenOptions,
  ): Promise<Listener>
  /** The pools of its replicas, in the order of the option `replicas`. Their statements are not routed. */
  readonly replicas: readonly GuardedPool[]
  /** The counters of the snapshot that are cheap to read. */
  readonly counts: PoolCounts
  /** The pool's current state: counts, timings, topology and plan. */
  snapshot(): PoolSnapshot
  /**
   * Where the time of the pool's connections went in the last minutes, by label, ORM operation and statement, and what to change; undefined
   * with the option `insight: false`.
   */
  insight(): PoolInsight | undefined
  /** The settings in effect, each with its reason. */
  readonly settings: ResolvedSettings
  /**
   * Resizes the pool; later measurements do not change it back. Raising `max` serves waiters immediately. If you lower `max`, surplus
   * connections are closed when they become idle.
   */
  resize(bounds: Partial<Pick<PoolSettings, 'min' | 'max'>>): void
  /** True after `end()` or after all pools of the process were closed. A closed pool rejects every acquire. */
  readonly closed: boolean
  /** Closes the idle connections, for example before a serverless function is frozen. The pool stays open. Resolves when they are closed. */
  closeIdle(): Promise<void>
}

/** The constructor of {@link GuardedPool}. */
export interface GuardedPoolClass {
  new (config?: GuardedPoolConfig): GuardedPool
  readonly prototype: GuardedPool
}
