import type { Capacity } from '../../budget/index.ts'
import { PGBOUNCER_CONSOLE } from '../../topology/index.ts'
import type { ActivityRow } from '../fleet-view.ts'
import type { SimulatedClock } from './simulated-clock.ts'

const LOCK_TIMEOUT_MILLIS = 1_000
const FROZEN_TIMEOUT_MILLIS = 1_000

/** A connection on the server's side. */
export interface ServerSession {
  name: string
  readonly role: string
  readonly database: string
  /** Called when the server has ended it. */
  readonly ended: () => void
}

interface LockWaiter {
  readonly session: ServerSession
  readonly got: (release: () => void) => void
  readonly failed: (error: Error) => void
}

/** Simulates PostgreSQL for a fleet: slots, names, and one advisory lock for each database. */
export class SimulatedServer {
  readonly clock: SimulatedClock
  /** Changes when the server restarts with another configuration. */
  maxConnections: number
  startedAt: number
  readonly sessions: Set<ServerSession> = new Set()
  /** Number of rejected connections. */
  rejected = 0
  readonly #locks = new Map<string, { readonly holder: ServerSession; readonly free: () => void }>()
  readonly #waiters: LockWaiter[] = []

  constructor(clock: SimulatedClock, maxConnections: number) {
    this.clock = clock
    this.maxConnections = maxConnections
    this.startedAt = clock.now()
  }

  /** Ends all sessions, and starts again with another configuration. */
  restart(maxConnections: number): void {
    for (const session of [...this.sessions]) this.end(session)
    this.maxConnections = maxConnections
    this.startedAt = this.clock.now()
  }

  get capacity(): Capacity {
    const used = this.sessions.size
    const limits = { roleLimit: null, databaseLimit: null }
    return { maxConnections: this.maxConnections, reserved: 0, ...limits, used, usedByRole: used, usedByDatabase: used }
  }

  /** Returns undefined if no slot is free. */
  connect(
    name: string,
    ended: () => void = () => {},
    { role = 'app', database = 'app' }: { readonly role?: string; readonly database?: string } = {},
  ): ServerSession | undefined {
    // PgBouncer admits console clients beyond its limit.
    if (this.sessions.size >= this.maxConnections && database !== PGBOUNCER_CONSOLE) {
      this.rejected++
      return undefined
    }
    const session = { name, role, database, ended }
    this.sessions.add(session)
    return session
  }

  /** Ends a session, and releases its lock. */
  end(session: ServerSession): void {
    if (!this.sessions.delete(session)) return
    const lock = this.#locks.get(session.database)
    if (lock?.holder === session) lock.free()
    for (const waiter of this.#waiters.filter((each) => each.session === session)) this.#rejectWaiter(waiter, 'lost')
    session.ended()
  }

  /** What `EXCHANGE_QUERY` reads in one session: `pg_stat_activity`, grouped. */
  activity(viewer: ServerSession): ActivityRow[] {
    const rows = new Map<string, ActivityRow & { count: number }>()
    for (const { name, role, database } of this.sessions) {
      const key = `${name} ${role} ${database}`
      const row = rows.get(key)
      if (row) row.count++
      else {
        const [ownRole, ownDatabase] = [role === viewer.role, database === viewer.database]
        rows.set(key, { name, role, ownRole, ownDatabase, readable: ownRole, count: 1 })
      }
    }
    return [...rows.values()]
  }

  /** Rejects after a timeout. Ends the session of a holder that freezes. */
  lock(session: ServerSession): Promise<() => void> {
    if (!this.sessions.has(session)) return Promise.reject(new Error('lost'))
    return new Promise((got, failed) => {
      const waiter = { session, got, failed }
      this.#waiters.push(waiter)
      this.clock.after(LOCK_TIMEOUT_MILLIS, () => this.#rejectWaiter(waiter, '55P03'))
      this.#serveLocks()
    })
  }

  #rejectWaiter(waiter: LockWaiter, why: string): void {
    const at = this.#waiters.indexOf(waiter)
    if (at < 0) return
    this.#waiters.splice(at, 1)
    waiter.failed(new Error(why))
  }

  #serveLocks(): void {
    const next = this.#waiters.find(({ session }) => !this.#locks.has(session.database))
    if (!next) return
    this.#waiters.splice(this.#waiters.indexOf(next), 1)
    const { session, got } = next
    const cancel = this.clock.after(FROZEN_TIMEOUT_MILLIS, () => this.end(session))
    const free = () => {
      if (this.#locks.get(session.database)?.free !== free) return
      cancel()
      this.#locks.delete(session.database)
      this.#serveLocks()
    }
    this.#locks.set(session.database, { holder: session, free })
    got(free)
  }
}
