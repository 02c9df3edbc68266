import type { ConnectFailure, PoolStats } from '@poolguard/core'
import { DurationHistogram, NO_OVERLOADS, type ObservedLeases } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { type Backend, parsedOptionsOf } from '../internals.ts'
import type { ObservedLease } from './observed-lease.ts'

/** SQLSTATE of a query that was cancelled, which postgres.js also gives to one that was never sent. */
const CANCELLED = '57014'

/** postgres.js does not expose how long connecting takes. */
const NO_CONNECT_TIMES = new DurationHistogram().read()

/** The counts of an observed instance. */
export class SqlStats {
  readonly #sql: Sql
  readonly #leases: ObservedLeases<ObservedLease>
  /** Sessions seen, identified by pid and secret. */
  readonly #sessions = new Set<string>()
  readonly #failures = { full: 0, unavailable: 0, permanent: 0 }
  readonly #restore: () => void
  #closed = 0
  waiting = 0

  constructor(sql: Sql, leases: ObservedLeases<ObservedLease>) {
    this.#sql = sql
    this.#leases = leases
    this.#restore = this.#countClosed()
  }

  onBackendSeen(backend: Backend | null): void {
    if (backend) this.#sessions.add(`${backend.pid}:${backend.secret}`)
  }

  /** Called if a query failed before the server started it. */
  onFailure(failure: ConnectFailure, error: unknown): void {
    if ((error as { code?: unknown }).code !== CANCELLED) this.#failures[failure]++
  }

  stop(): void {
    this.#restore()
    this.#leases.stop()
  }

  stats(): PoolStats {
    const figures = this.#leases.stats()
    const opened = this.#sessions.size
    const total = Math.max(figures.active, opened - this.#closed)
    return {
      min: 0,
      total,
      idle: total - figures.active,
      waiting: this.waiting,
      ...figures,
      opened,
      closed: this.#closed,
      connectFailures: { ...this.#failures },
      // postgres.js does not expose these.
      ...{
        connecting: 0,
        validating: 0,
        closing: 0,
        connect: NO_CONNECT_TIMES,
        timeouts: 0,
        saturated: 0,
        ...NO_OVERLOADS,
        deadlocks: 0,
      },
    }
  }

  /** Replaces `options.onclose`, which postgres.js reads whenever a connection closes. */
  #countClosed(): () => void {
    const options = parsedOptionsOf(this.#sql)
    const { onclose } = options
    options.onclose = (id) => {
      this.#closed++
      onclose?.(id)
    }
    return () => {
      options.onclose = onclose
    }
  }
}
