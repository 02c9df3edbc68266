import { type Clock, systemClock, withTimeout } from '../clock.ts'
import { type Pool, runDetached, type TrackedLease } from '../pool/index.ts'
import { CheckInUse } from './check-in-use.ts'
import type { GuardedDriver } from './guarded-driver.ts'
import { readTimedOut } from './read-timed-out.ts'

/** Interval of the checks while connections are in use. */
const CHECK_MILLIS = 2_000
/** The check queries the server when no byte has moved on a connection for this long. */
const SILENT_MILLIS = 5_000
/** How long the server must have been idle. Until then, the answer may be on its way. */
const IDLE_SECONDS = 4
/**
 * The connection is given up when the server is idle, and is still idle or has ended the session after this time. TCP sends lost data again
 * meanwhile.
 */
const CONFIRM_MILLIS = 4_000
/** While the server runs the statement, the time to the next query doubles, up to this. */
const MAX_PAUSE_MILLIS = 60_000
const QUERY_TIMEOUT_MILLIS = 3_000
/** A session belongs to a connection if both have the same age; clocks and logins may differ by this. */
const SAME_AGE_MILLIS = 2_000

export interface LostStatementsOptions<C> {
  readonly engine: Pick<Pool<C>, 'acquire' | 'demand' | 'querying'>
  readonly driver: Pick<GuardedDriver<C>, 'awaiting' | 'breakOff' | 'peerOf' | 'queryValue'>
  /** Whether the other end is PostgreSQL itself: a pooler invents the pids that it tells. */
  readonly isDirect: () => boolean
  readonly clock?: Clock
}

/** When the login of a connection began and ended, by the pool's clock. */
interface Opening {
  readonly began: number
  readonly ended: number
}

/** What is known about the statement that runs on a lease. */
interface Watched {
  readonly key: unknown
  /** When the server was first seen idle; Infinity while it was not. */
  idleSince: number
  /** The address by which that server knows itself. */
  idleAt: string | undefined
  queryAt: number
  pauseMillis: number
}

/**
 * Finds statements that will never be answered, because the network has lost them or their answers: a firewall or NAT has
 * forgotten the connection, or the host of this process has moved. TCP reports that after a quarter of an hour. This class queries the
 * server on another connection about the sessions of silent ones. If the server is idle there, the connection is given up.
 *
 * The error is the one that TCP would report later.
 */
export class LostStatements<C extends object> {
  readonly #options: LostStatementsOptions<C>
  readonly #clock: Clock
  readonly #checks: CheckInUse
  readonly #openings = new WeakMap<C, Opening>()
  readonly #watched = new WeakMap<TrackedLease<C>, Watched>()

  constructor(options: LostStatementsOptions<C>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#checks = new CheckInUse({
      engine: options.engine,
      clock: this.#clock,
      intervalMillis: CHECK_MILLIS,
      check: () => this.#check(),
    })
  }

  /** Opens a connection, and remembers when. */
  async open(connect: () => Promise<C>): Promise<C> {
    const began = this.#clock.now()
    const connection = await connect()
    this.#openings.set(connection, { began, ended: this.#clock.now() })
    return connection
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
    const watched = { key, idleSince: Infinity, idleAt: undefined, queryAt: 0, pauseMillis: SILENT_MILLIS }
    this.#watched.set(lease, watched)
    return watched
  }

  async #queryAbout(leases: readonly TrackedLease<C>[]): Promise<void> {
    await this.#onAnotherConnection(async (query, peer) => {
      // Another server of the pool knows nothing about these sessions, and may have others with the same pids.
      const sameServer = leases.filter(({ resource }) => this.#options.driver.peerOf(resource) === peer)
      if (sameServer.length === 0) return
      const pids = sameServer.map(({ resource }) => this.#pidOf(resource))
      const server = readSessions((await query(sessionsQuery(pids))) ?? '')
      // Meanwhile a statement may have been answered, or a connection may have ended.
      const { querying } = this.#options.engine
      const lost = sameServer.filter((lease) => querying.includes(lease) && this.#isLost(lease, server))
      for (const lease of lost) this.#giveUp(lease)
      // The server would keep the sessions until its own TCP gives up.
      const left = lost.filter(({ resource }) => this.#sessionOf(resource, server))
      if (left.length > 0) await query(endSessionsQuery(left.map(({ resource }) => this.#pidOf(resource))))
    })
  }

  #isLost(lease: TrackedLease<C>, server: ServerSessions): boolean {
    const now = this.#clock.now()
    if (now - lease.quietSince < SILENT_MILLIS) return false
    const watched = this.#watchedOf(lease)
    const session = this.#sessionOf(lease.resource, server)
    // A server that does not have the session may be another one behind the same address, unless the session was seen there before.
    const isIdle = session ? session.isIdle : watched.idleAt === server.address
    if (!isIdle) {
      watched.idleSince = Infinity
      watched.idleAt = undefined
      watched.queryAt = now + watched.pauseMillis
      watched.pauseMillis = Math.min(watched.pauseMillis * 2, MAX_PAUSE_MILLIS)
      return false
    }
    watched.idleSince = Math.min(watched.idleSince, now)
    watched.idleAt = server.address
    watched.queryAt = watched.idleSince + CONFIRM_MILLIS
    return now >= watched.queryAt
  }

  #giveUp({ resource, quietSince }: TrackedLease<C>): void {
    this.#options.driver.breakOff(resource, lostError(this.#clock.now() - quietSince))
  }

  #pidOf(connection: C): number {
    return this.#options.driver.awaiting(connection).announcedPid
  }

  /** A connection's session, if this server has it. */
  #sessionOf(connection: C, { sessions }: ServerSessions): Session | undefined {
    const session = sessions.get(this.#pidOf(connection))
    return session && this.#isSameAge(connection, session.ageMillis) ? session : undefined
  }

  /** Another server behind the same address, or a later session, may have the same pid. */
  #isSameAge(connection: C, ageMillis: number): boolean {
    const opening = this.#openings.get(connection)
    if (!opening) return false
    const now = this.#clock.now()
    return ageMillis >= now - opening.ended - SAME_AGE_MILLIS && ageMillis <= now - opening.began + SAME_AGE_MILLIS
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

/** What a server answers about sessions of this role. */
interface ServerSessions {
  /** The address by which it knows itself, and its port; empty for a Unix socket. Several servers behind one address have different ones. */
  readonly address: string
  /** By pid. */
  readonly sessions: ReadonlyMap<number, Session>
}

interface Session {
  readonly ageMillis: number
  /** It has been waiting for a statement for some seconds. */
  readonly isIdle: boolean
}

// Every name carries its schema, because a role may have functions and operators of its own.
const IS_IDLE = `(state operator(pg_catalog.=) any ('{idle,idle in transaction,idle in transaction (aborted)}'::pg_catalog.text[])
  and state_change operator(pg_catalog.<) (pg_catalog.clock_timestamp() operator(pg_catalog.-) '${IDLE_SECONDS} seconds'::pg_catalog.interval))`

/** The sessions of this role. */
function sessions(pids: readonly number[]): string {
  return `from pg_catalog.pg_stat_activity
where usename operator(pg_catalog.=) session_user
  and pid operator(pg_catalog.=) any ('{${pids.join(',')}}'::pg_catalog.int8[])`
}

/** Selects the server's address, a semicolon, and `pid|age|idle` of each session, with the age in seconds. */
function sessionsQuery(pids: readonly number[]): string {
  return `select pg_catalog.concat(pg_catalog.host(pg_catalog.inet_server_addr()), ' ', pg_catalog.inet_server_port(), ';',
  pg_catalog.string_agg(pg_catalog.concat(pid, '|',
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() operator(pg_catalog.-) backend_start), '|', ${IS_IDLE}), ','))
${sessions(pids)}`
}

function endSessionsQuery(pids: readonly number[]): string {
  return `select pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) ${sessions(pids)} and ${IS_IDLE}`
}

function readSessions(answer: string): ServerSessions {
  const [address = '', list = ''] = answer.split(';')
  const entries = list.split(',').map((each): [number, Session] => {
    const [pid, seconds, isIdle] = each.split('|')
    return [Number(pid), { ageMillis: Number(seconds ?? Number.NaN) * 1_000, isIdle: isIdle === 't' }]
  })
  return { address, sessions: new Map(entries) }
}

function lostError(silentMillis: number): Error {
  const seconds = Math.round(silentMillis / 1_000)
  return readTimedOut(
    `no answer for ${seconds} s, and the server runs no statement on this connection. ` +
      'The network has lost the statement or its answer; the server may have run it.',
  )
}
