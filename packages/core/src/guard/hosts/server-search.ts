import { type Clock, pause } from '../../clock.ts'
import type { OpenContext } from '../../pool/index.ts'
import { classifyConnectFailure, isServerError } from '../../postgres-errors/index.ts'
import { untilAborted } from '../driver-kit/abort-watch.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import type { HostMemory } from './host-memory.ts'
import type { HostPlan, ServerAddress } from './host-plan.ts'
import { LossUntilAccepted } from './loss-until-accepted.ts'
import { noSuitableHost, UnsuitableRoleError } from './no-suitable-host.ts'
import { raceInTurn } from './race-in-turn.ts'
import { HostResolver, keyOf } from './resolve-hosts.ts'
import { isSuitable, mayBeSpare, type SessionRole } from './session-role.ts'

/** A host that does not answer for this long does not keep the pool from trying the next one. */
const PATIENCE_MILLIS = 500

const TURN_CHECK_MILLIS = 20

export interface ServerSearchOptions<C> {
  readonly plan: HostPlan
  readonly driver: GuardedDriver<C>
  readonly memory: HostMemory
  readonly connectTimeoutMillis: () => number
  readonly clock: Clock
  readonly random: () => number
  readonly roleOf: (connection: C) => Promise<SessionRole>
  /** New connections go to this server. */
  readonly onFound: (server: ServerAddress) => void
  readonly onFailed: (server: ServerAddress, error: unknown) => void
  /** A server has not answered before another one did. */
  readonly onUnanswered: (server: ServerAddress) => void
}

/** A new connection to a suitable server. */
export interface Opened<C> {
  readonly connection: C
  readonly server: ServerAddress
  readonly loss: LossUntilAccepted
}

/** Opens a connection to the first suitable server, as libpq does. Servers are tried in turn; one that takes long does not hold up the others. */
export class ServerSearch<C extends object> {
  readonly #options: ServerSearchOptions<C>
  readonly #resolver = new HostResolver()

  constructor(options: ServerSearchOptions<C>) {
    this.#options = options
  }

  /** @throws the error of a server that rejects the login, or an error that names all servers. */
  async find(context: OpenContext): Promise<Opened<C>> {
    const servers = await this.#candidates()
    const spares: Opened<C>[] = []
    const opened = await this.#race(servers, context, spares).catch((error) => this.#spareOr(spares, error))
    for (const spare of spares) void this.#close(spare.connection)
    return opened
  }

  /** With `prefer-standby`, a primary is used if no server is a standby. */
  #spareOr(spares: Opened<C>[], error: unknown): Opened<C> {
    const spare = spares.shift()
    if (!spare) throw error
    this.#options.onFound(spare.server)
    return spare
  }

  /** In the order in which they are tried. */
  async #candidates(): Promise<readonly ServerAddress[]> {
    const { plan, memory } = this.#options
    const { servers, target, isRandom, ownsSockets } = plan
    const resolved = ownsSockets ? await this.#resolver.resolve(servers) : servers
    const byKey = new Map(resolved.map((server) => [keyOf(server), server]))
    const keys = isRandom ? this.#shuffle([...byKey.keys()]) : [...byKey.keys()]
    const ordered = memory.order(keys)
    const { home } = memory
    // The primary of a moment ago is most likely still the primary.
    const isFirst = (key: string) => key === home && !isRandom && target !== 'any' && !memory.failureOf(key)
    const sorted = [...ordered.filter(isFirst), ...ordered.filter((key) => !isFirst(key))]
    return sorted.flatMap((key) => byKey.get(key) ?? [])
  }

  #shuffle(keys: string[]): string[] {
    for (let last = keys.length - 1; last > 0; last--) {
      const other = Math.floor(this.#options.random() * (last + 1))
      const [one = '', two = ''] = [keys[last], keys[other]]
      keys[last] = two
      keys[other] = one
    }
    return keys
  }

  async #race(servers: readonly ServerAddress[], context: OpenContext, spares: Opened<C>[]): Promise<Opened<C>> {
    const { plan, connectTimeoutMillis, clock, onFound, onUnanswered } = this.#options
    const outcome = await raceInTurn({
      count: servers.length,
      attempt: (index, signal) => this.#attempt(servers[index] as ServerAddress, context, signal, spares),
      isFinal: (error) => context.signal.aborted || isRejection(error),
      // It may be promoted while a server that was cut off does not answer.
      mayRepeat: (error) => error instanceof UnsuitableRoleError,
      // With a short timeout, each host gets its part of it.
      patienceMillis: Math.min(PATIENCE_MILLIS, connectTimeoutMillis() / (servers.length + 1)),
      clock,
    })
    if ('failures' in outcome) throw noSuitableHost(plan.target, servers, outcome.failures)
    for (const index of outcome.unanswered) onUnanswered(servers[index] as ServerAddress)
    onFound(outcome.value.server)
    return outcome.value
  }

  async #attempt(
    server: ServerAddress,
    context: OpenContext,
    lostRace: AbortSignal,
    spares: Opened<C>[],
  ): Promise<Opened<C>> {
    const { plan, driver, roleOf, onFailed } = this.#options
    const signal = AbortSignal.any([context.signal, lostRace])
    await this.#turnOf(keyOf(server), signal)
    const loss = new LossUntilAccepted(context)
    try {
      const connection = await driver.factory.open({ signal, lost: loss.report }, server)
      try {
        const role = await roleOf(connection)
        if (!isSuitable(role, plan.target)) throw new UnsuitableRoleError(role)
        if (signal.aborted) throw signal.reason
      } catch (error) {
        const isSpare = error instanceof UnsuitableRoleError && !signal.aborted && mayBeSpare(plan.target)
        if (!isSpare) void this.#close(connection)
        else spares.push({ connection, server, loss })
        throw error
      }
      return { connection, server, loss }
    } catch (error) {
      if (!lostRace.aborted) onFailed(server, error)
      throw error
    }
  }

  /** Waits until a server that has failed may be tried again. */
  async #turnOf(key: string, signal: AbortSignal): Promise<void> {
    const { memory } = this.#options
    const isInDoubt = memory.failureOf(key) === undefined
    for (let wait = memory.waitMillis(key); wait > 0; wait = memory.waitMillis(key)) {
      // The attempt that should resolve the doubt has failed.
      if (isInDoubt && memory.failureOf(key)) throw memory.errorOf(key)
      // Another attempt may succeed meanwhile.
      await untilAborted(pause(Math.min(wait, TURN_CHECK_MILLIS), { background: true }), signal)
    }
    signal.throwIfAborted()
    memory.tried(key)
  }

  async #close(connection: C): Promise<void> {
    await this.#options.driver.factory.close(connection).catch(() => {})
  }
}

/**
 * The server is reachable and rejects the login: another server is not tried, as in libpq. One that starts, stops or recovers (57P03), and
 * a PgBouncer that does not reach its server, are not available.
 */
export function isRejection(error: unknown): boolean {
  return isServerError(error) && classifyConnectFailure(error) !== 'unavailable'
}
