import type { PoolCounts, PoolInsight, PoolSettings, PoolSnapshot, ResolvedSettings } from '@poolguard/core'
import type postgres from 'postgres'

// biome-ignore lint/complexity/noBannedTypes: the same definition as in postgres.js, so that the types are compatible.
export type NoTypes = {}

/** Options of {@link GuardedSql.reserve}. */
export interface ReserveOptions {
  /** When it is aborted, the caller leaves the queue; later, the connection's running statement is cancelled on the server. */
  readonly signal?: AbortSignal | undefined
  /** The lane that the connection is acquired in (option `lanes`). Default: that of `runInLane`, else `default`. */
  readonly lane?: string | undefined
  /** Which server to use, in a pool with replicas. Default: the primary. */
  readonly on?: 'primary' | 'replica' | undefined
}

/** A postgres.js `sql` that stays within the connection limits of the database and reports its settings and state. */
export interface GuardedSql<TTypes extends Record<string, unknown> = NoTypes> extends postgres.Sql<TTypes> {
  /**
   * Resolves when detection has finished: the pool then knows whether there is a pooler in between, how many connections the database
   * allows, and its own bounds. Optional: queries work without it. The pool repeats the detection after the server was unreachable; with
   * `refresh: true` it does so now.
   *
   * @throws the connect error if the database cannot be reached.
   */
  ready(options?: { readonly refresh?: boolean }): Promise<PoolSnapshot>
  /** As postgres.js' `reserve`, which takes no options. For single queries and transactions, use `runWithDeadline` and `runInLane`. */
  reserve(options?: ReserveOptions): Promise<postgres.ReservedSql<TTypes>>
  /** A guarded `sql` for each replica, in the order of the option `replicas`. Its statements are not routed. */
  readonly replicas: readonly GuardedSql<TTypes>[]
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
  /** Closes the idle connections, and connections that are released meanwhile. The pool stays open. `close` is postgres.js' alias. */
  closeIdle(): Promise<void>
  /** True after `end()` or after all pools of the process were closed. A closed pool rejects every query. */
  readonly closed: boolean
}
