import { type Clock, systemClock, withTimeout } from '../../clock.ts'
import { type Pool, runDetached, type TrackedLease } from '../../pool/index.ts'
import { CheckInUse } from '../check-in-use.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { readTimedOut } from '../read-timed-out.ts'
import { KnownSessions, type SessionState } from './known-sessions.ts'
import { endSessionsQuery, type ServerSessions } from './server-sessions.ts'

/** Interval of the checks while connections are in use. */
const CHECK_MILLIS = 2_000
/** The check queries the server when no byte has moved on a connection for this long. */
const SILENT_MILLIS = 5_000
/** The connection is given up when the server runs no statement of it, and still none after this time. TCP sends lost data again meanwhile. */
const CONFIRM_MILLIS = 4_000
/** While the server runs the statement, the time to the next query doubles, up to this. */
const MAX_PAUSE_MILLIS = 60_000
const QUERY_TIMEOUT_MILLIS = 3_000

export interface LostStatementsOptions<C> {
  readonly engine: Pick<Pool<C>, 'acquire' | 'demand' | 'querying'>
  readonly driver: Pick<GuardedDriver<C>, 'awaiting' | 'breakOff' | 'isLost' | 'peerOf' | 'queryValue'>
  /** Whether the other end is PostgreSQL itself: a pooler invents the pids that it tells. */
  readonly isDirect: () => boolean
  readonly clock?: Clock
}

/** What is known about the statement that runs on a lease. */
interface Watched {
  readonly key: unknown
  /** Since when it is known that the server does not run it; Infinity while it may run. */
  lostSince: number
  queryAt: number
  pauseMillis: number
}

/**
 * Finds statements that will never be answered: a firewall or NAT has forgotten the connection, the host of this process has moved, or the
 * server is gone without a word, and another one has its address. TCP reports that after a quarter of an hour. This class queries the server
 * on another connection about the sessions of silent ones. If it does not run their statements, the connections are given up.
 *
 * The error is the one that TCP would report later.
 */
export class LostStatements<C extends object> {
  readonly #options: LostStatementsOptions<C>
  readonly #clock: Clock
  readonly #checks: CheckInUse
  readonly #sessions: KnownSessions<C>
  readonly #watched = new WeakMap<TrackedLease<C>, Watched>()

  constructor(options: LostStatementsOptions<C>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#sessions = new KnownSessions({ driver: options.driver, clock: this.#clock })
    this.#checks = new CheckInUse({
      engine: options.engine,
      clock: this.#clock,
      intervalMillis: CHECK_MILLIS,
      check: () => this.#check(),
    })
  }

  /** Opens a connection, and remembers when. */
  open(connect: () => Promise<C>): Promise<C> {
    return this.#sessions.open(connect)
  }

  /**
   * Call it for a new connection before a caller gets it. Notes which server it leads to.
   *
   * @throws the error if the connection is lost meanwhile.
   */
  async onOpened(connection: C): Promise<void> {
    if (this.#options.isDirect()) await this.#sessions.identify(connection)
  }

  /** Call it whenever a caller acquires a connection. */
  watch(): void {
    this.#checks.watch()
  }

  stop(): void {
    this.#checks.stop()
  }

  async #check(): Promise<void> {
    const due = this.#options.isDirect() ? this.#options.engine.querying.filter((lease) => this.#isDue(lease)) : []
    if (due.length > 0) await this.#queryAbout(due)
  }

  #isDue(lease: TrackedLease<C>): boolean {
    const now = this.#clock.now()
    const { announcedPid, isUnread } = this.#options.driver.awaiting(lease.resource)
    if (announcedPid === 0 || isUnread || now - lease.quietSince < SILENT_MILLIS) {
      this.#watched.delete(lease)
      return false
    }
    return now >= this.#watchedOf(lease).queryAt
  }

  #watchedOf(lease: TrackedLease<C>): Watched {
    const key = lease.runningQuery?.key
    const known = this.#watched.get(lease)
    if (known?.key === key) return known as Watched
    const watched = { key, lostSince: Infinity, queryAt: 0, pauseMillis: SILENT_MILLIS }
    this.#watched.set(lease, watched)
    return watched
  }

  async #queryAbout(leases: readonly TrackedLease<C>[]): Promise<void> {
    await this.#onAnotherConnection(async (query, peer) => {
      // Another server of the pool may have other sessions with the same pids.
      const asked = leases.filter(
        ({ resource }) => this.#options.driver.peerOf(resource) === peer || this.#sessions.isIdentified(resource),
      )
      if (asked.length === 0) return
      const server = await this.#sessions.ask(
        asked.map(({ resource }) => resource),
        query,
      )
      if (!server) return
      // Meanwhile a statement may have been answered, or a connection may have ended.
      const { querying } = this.#options.engine
      const still = asked.filter((lease) => querying.includes(lease))
      const idle = still.filter((lease) => this.#giveUpIfLost(lease, server) === 'idle')
      // The server would keep the sessions until its own TCP gives up.
      const pids = idle.map(({ resource }) => this.#options.driver.awaiting(resource).announcedPid)
      if (pids.length > 0) await query(endSessionsQuery(pids))
    })
  }

  /** Returns what has become of the session if its connection was given up. */
  #giveUpIfLost(lease: TrackedLease<C>, server: ServerSessions): SessionState | undefined {
    const now = this.#clock.now()
    const silentMillis = now - lease.quietSince
    if (silentMillis < SILENT_MILLIS) return undefined
    const state = this.#sessions.stateOf(lease.resource, server)
    if (!this.#isLost(this.#watchedOf(lease), state)) return undefined
    this.#options.driver.breakOff(lease.resource, lostError(silentMillis, state))
    return state
  }

  #isLost(watched: Watched, state: SessionState): boolean {
    const now = this.#clock.now()
    if (state === 'working' || state === 'unknown') {
      watched.lostSince = Infinity
      watched.queryAt = now + watched.pauseMillis
      watched.pauseMillis = Math.min(watched.pauseMillis * 2, MAX_PAUSE_MILLIS)
      return false
    }
    watched.lostSince = Math.min(watched.lostSince, now)
    watched.queryAt = watched.lostSince + CONFIRM_MILLIS
    return now >= watched.queryAt
  }

  /**
   * Runs `use` with a function that queries the server. May open one connection more than `max`, because all others may be lost. If the server cannot be
   * queried, nothing is known.
   */
  async #onAnotherConnection(
    use: (query: (text: string) => Promise<string | null | undefined>, peer: string | undefined) => Promise<void>,
  ): Promise<void> {
    const { engine, driver } = this.#options
    // Detached, so that no caller's deadline or trace applies.
    const lease = await runDetached(() =>
      engine.acquire({ internal: 'overflow', timeoutMillis: QUERY_TIMEOUT_MILLIS }),
    ).catch(() => undefined)
    if (!lease) return
    try {
      const late = () => new Error('the server does not answer')
      const query = (text: string) =>
        withTimeout(driver.queryValue(lease.resource, text), QUERY_TIMEOUT_MILLIS, late, {
          clock: this.#clock,
          background: true,
        })
      await use(query, driver.peerOf(lease.resource))
      lease.release()
    } catch {
      lease.destroy()
    }
  }
}

function lostError(silentMillis: number, state: SessionState): Error {
  const seconds = Math.round(silentMillis / 1_000)
  if (state === 'replaced') {
    return readTimedOut(
      `no answer for ${seconds} s, and the server was restarted or replaced meanwhile. It may have run the statement before.`,
    )
  }
  return readTimedOut(
    `no answer for ${seconds} s, and the server runs no statement on this connection. ` +
      'The network has lost the statement or its answer; the server may have run it.',
  )
}
