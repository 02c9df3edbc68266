import type { ConnectFailure, PoolStats } from '@poolguard/core'
import { DurationHistogram, type ObservedLeases } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { type Backend, parsedOptionsOf } from '../internals.ts'
import type { ObservedLease } from './observed-lease.ts'

/** SQLSTATE of a query that was cancelled, which postgres.js also gives to one that was never sent. */
const CANCELLED = '57014'

/** How long opening takes, postgres.js tells nobody. */
const NEVER_MEASURED = new DurationHistogram().read()

/** What is counted of an instance that is observed. */
export class SqlStats {
  readonly #sql: Sql
  readonly #leases: ObservedLeases<ObservedLease>
  /** Sessions seen, by the pid and secret of each. */
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

  sawConnection(backend: Backend | null): void {
    if (backend) this.#sessions.add(`${backend.pid}:${backend.secret}`)
  }

  /** A query failed before the server was at it. */
  failed(failure: ConnectFailure, error: unknown): void {
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
      // Of these postgres.js says nothing.
      ...{ connecting: 0, validating: 0, closing: 0, connect: NEVER_MEASURED, timeouts: 0, saturated: 0, deadlocks: 0 },
    }
  }

  /** Read by postgres.js whenever a connection closes. */
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
