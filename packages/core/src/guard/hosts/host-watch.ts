import { type Clock, systemClock } from '../../clock.ts'
import type { Pool } from '../../pool/index.ts'
import { CheckInUse } from '../check-in-use.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { readTimedOut } from '../read-timed-out.ts'
import type { ServerAddress } from './host-plan.ts'
import type { Hosts } from './hosts.ts'
import { pingServer } from './ping-server.ts'
import { describeServer, keyOf } from './resolve-hosts.ts'

/** Interval of the checks while connections are in use. */
const CHECK_MILLIS = 250
/** The pool pings a server when no byte has come from it for this long, although statements wait for answers. */
const SILENT_MILLIS = 500
const PING_TIMEOUT_MILLIS = 750
/** After an answer, the pause until the next ping doubles up to this: the server runs a long statement. */
const MAX_PAUSE_MILLIS = 15_000
/** The statements on a server that was replaced are given up when they have been silent for this long. */
const GIVE_UP_MILLIS = 1_000

export interface HostWatchOptions<C extends object> {
  readonly hosts: Pick<Hosts<C>, 'serverOf' | 'isCutOff' | 'isUnreachable' | 'onUnanswered' | 'search'>
  readonly engine: Pick<Pool<C>, 'querying' | 'demand' | 'counts'>
  readonly driver: Pick<GuardedDriver<C>, 'breakOff'>
  readonly ping?: (server: ServerAddress, timeoutMillis: number) => Promise<boolean>
  readonly clock?: Clock
}

/** A connection on which an answer is expected. */
interface Awaiting<C> {
  readonly connection: C
  readonly server: ServerAddress
  readonly silentMillis: number
}

/** When to ask a silent server again. */
interface Pings {
  at: number
  pauseMillis: number
}

/**
 * Notices a primary that the network has cut off: no error tells of it, and its connections would occupy all slots of the pool. If a
 * server is silent and another one has become the primary, the statements on the silent one fail, and their connections make room.
 */
export class HostWatch<C extends object> {
  readonly #options: HostWatchOptions<C>
  readonly #clock: Clock
  readonly #checks: CheckInUse
  readonly #pings = new Map<string, Pings>()
  /** Connections that are being validated, and since when. */
  readonly #validating = new Map<C, number>()

  constructor(options: HostWatchOptions<C>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#checks = new CheckInUse({
      engine: options.engine,
      clock: this.#clock,
      intervalMillis: CHECK_MILLIS,
      check: () => this.#check(),
    })
  }

  /** Call it whenever a caller acquires a connection. */
  watch(): void {
    this.#checks.watch()
  }

  stop(): void {
    this.#checks.stop()
  }

  /** Validates a connection under watch: a server that was cut off does not answer. */
  async validate(connection: C, validate: () => Promise<boolean>): Promise<boolean> {
    this.#validating.set(connection, this.#clock.now())
    try {
      return await validate()
    } finally {
      this.#validating.delete(connection)
    }
  }

  async #check(): Promise<void> {
    await this.#ask(this.#silentServers(this.#awaiting()))
    this.#giveUp(this.#awaiting())
  }

  #awaiting(): Awaiting<C>[] {
    const now = this.#clock.now()
    const querying = this.#options.engine.querying.map(({ resource, quietSince }) => [resource, quietSince] as const)
    return [...querying, ...this.#validating].flatMap(([connection, since]) => {
      const server = this.#options.hosts.serverOf(connection)
      return server ? [{ connection, server, silentMillis: now - since }] : []
    })
  }

  #giveUp(awaiting: readonly Awaiting<C>[]): void {
    const { hosts, driver } = this.#options
    for (const { connection, server, silentMillis } of awaiting) {
      if (silentMillis >= GIVE_UP_MILLIS && hosts.isCutOff(connection)) driver.breakOff(connection, cutOffError(server))
    }
  }

  /** A server is silent if none of the connections on which it owes an answer has moved a byte. */
  #silentServers(awaiting: readonly Awaiting<C>[]): readonly ServerAddress[] {
    const silent = new Map<string, ServerAddress>()
    for (const { server } of awaiting) silent.set(keyOf(server), server)
    for (const { server, silentMillis } of awaiting) if (silentMillis < SILENT_MILLIS) silent.delete(keyOf(server))
    for (const key of this.#pings.keys()) if (!silent.has(key)) this.#pings.delete(key)
    return [...silent.values()]
  }

  async #ask(silent: readonly ServerAddress[]): Promise<void> {
    const { hosts, engine, ping = pingServer } = this.#options
    for (const server of silent) {
      if (hosts.isUnreachable(server) || !this.#isDue(server)) continue
      if (!(await ping(server, PING_TIMEOUT_MILLIS))) hosts.onUnanswered(server)
    }
    // The pool may have no slot left for a connection that would find the new primary.
    if (silent.some((server) => hosts.isUnreachable(server)) && engine.counts.connecting === 0) await hosts.search()
  }

  #isDue(server: ServerAddress): boolean {
    const now = this.#clock.now()
    const { at, pauseMillis } = this.#pings.get(keyOf(server)) ?? { at: now, pauseMillis: SILENT_MILLIS }
    if (at > now) return false
    this.#pings.set(keyOf(server), {
      at: now + pauseMillis,
      pauseMillis: Math.min(pauseMillis * 2, MAX_PAUSE_MILLIS),
    })
    return true
  }
}

function cutOffError(server: ServerAddress): Error {
  return readTimedOut(
    `${describeServer(server)} does not answer, and another host has taken over. The statement may have run there.`,
  )
}
