import { abortAfter, type Clock, pause, systemClock } from '../../clock.ts'
import type { CloseReason, OpenContext } from '../../pool/index.ts'
import { classifyConnectFailure, isServerError } from '../../postgres-errors/index.ts'
import { untilAborted } from '../driver-kit/abort-watch.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import { HostMemory } from './host-memory.ts'
import type { HostPlan, ServerAddress } from './host-plan.ts'
import { noSuitableHost, UnsuitableRoleError } from './no-suitable-host.ts'
import { raceInTurn, type Winner } from './race-in-turn.ts'
import { describeServer, HostResolver, keyOf } from './resolve-hosts.ts'
import { isSuitable, ROLE_QUERY, readRole, reportedRole, type SessionRole } from './session-role.ts'

/** A host that does not answer for this long does not keep the pool from trying the next one. */
const PATIENCE_MILLIS = 500

const TURN_CHECK_MILLIS = 20

export interface HostsOptions<C> {
  readonly plan: HostPlan
  readonly driver: GuardedDriver<C>
  /** Whether a pooler is in between, which may report the role of a server that it has replaced since. */
  readonly isPooled: () => boolean
  readonly connectTimeoutMillis: () => number
  /** Closes matching connections: idle ones now, those in use at their release. */
  readonly retire: (matches: (connection: C) => boolean) => void
  /** Called after new connections have gone to another server, because the one before is gone or has changed its role. */
  readonly onFailover: (message: string) => void
  readonly clock?: Clock
  readonly random?: () => number
}

/** The server of an open connection. */
interface Member {
  readonly key: string
  readonly server: ServerAddress
}

interface Opened<C> {
  readonly connection: C
  readonly server: ServerAddress
  readonly loss: LossUntilAccepted
}

/**
 * Chooses the server of each new connection as libpq does, and follows the primary: it remembers which servers failed, and closes the
 * connections to a server that has changed its role or was replaced.
 */
export class Hosts<C extends object> {
  readonly #options: HostsOptions<C>
  readonly #clock: Clock
  readonly #random: () => number
  readonly #resolver = new HostResolver()
  readonly #memory: HostMemory
  readonly #members = new Map<C, Member>()
  /** Servers whose connections are closed: another one has taken over. */
  readonly #left = new Set<string>()

  constructor(options: HostsOptions<C>) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#random = options.random ?? Math.random
    this.#memory = new HostMemory(() => this.#clock.now())
  }

  /**
   * Opens a connection to the first suitable server. Servers are tried in turn; one that takes long does not hold up the others.
   *
   * @throws the error of a server that rejects the login, or an error that names all servers.
   */
  async open(context: OpenContext): Promise<C> {
    const { connection, server, loss } = await this.#find(context)
    loss.accept()
    this.#members.set(connection, { key: keyOf(server), server })
    this.#options.driver.healthOf(connection).onReadOnly = () => this.#onReadOnly(connection)
    return connection
  }

  async #find(context: OpenContext): Promise<Opened<C>> {
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
    this.#succeeded(spare.server)
    return spare
  }

  /** In the order in which they are tried. */
  async #candidates(): Promise<readonly ServerAddress[]> {
    const { servers, target, isRandom, ownsSockets } = this.#options.plan
    const resolved = ownsSockets ? await this.#resolver.resolve(servers) : servers
    const byKey = new Map(resolved.map((server) => [keyOf(server), server]))
    const keys = isRandom ? this.#shuffle([...byKey.keys()]) : [...byKey.keys()]
    const ordered = this.#memory.order(keys)
    const { home } = this.#memory
    // The primary of a moment ago is most likely still the primary.
    const isFirst = (key: string) => key === home && !isRandom && target !== 'any' && !this.#memory.failureOf(key)
    const sorted = [...ordered.filter(isFirst), ...ordered.filter((key) => !isFirst(key))]
    return sorted.flatMap((key) => byKey.get(key) ?? [])
  }

  #shuffle(keys: string[]): string[] {
    for (let last = keys.length - 1; last > 0; last--) {
      const other = Math.floor(this.#random() * (last + 1))
      const [one = '', two = ''] = [keys[last], keys[other]]
      keys[last] = two
      keys[other] = one
    }
    return keys
  }

  async #race(servers: readonly ServerAddress[], context: OpenContext, spares: Opened<C>[]): Promise<Opened<C>> {
    const { plan, connectTimeoutMillis } = this.#options
    const outcome = await raceInTurn({
      count: servers.length,
      attempt: (index, signal) => this.#attempt(servers[index] as ServerAddress, context, signal, spares),
      isFinal: (error) => context.signal.aborted || isRejection(error),
      // It may be promoted while a server that was cut off does not answer.
      mayRepeat: (error) => error instanceof UnsuitableRoleError,
      // With a short timeout, each host gets its part of it.
      patienceMillis: Math.min(PATIENCE_MILLIS, connectTimeoutMillis() / (servers.length + 1)),
      clock: this.#clock,
    })
    if ('failures' in outcome) throw noSuitableHost(plan.target, servers, outcome.failures)
    this.#onWinner(servers, outcome)
    return outcome.value
  }

  #onWinner(servers: readonly ServerAddress[], { value, unanswered }: Winner<Opened<C>>): void {
    for (const index of unanswered) this.onUnanswered(servers[index] as ServerAddress)
    this.#succeeded(value.server)
  }

  async #attempt(
    server: ServerAddress,
    context: OpenContext,
    lostRace: AbortSignal,
    spares: Opened<C>[],
  ): Promise<Opened<C>> {
    const signal = AbortSignal.any([context.signal, lostRace])
    const key = keyOf(server)
    await this.#turnOf(key, signal)
    const loss = new LossUntilAccepted(context)
    try {
      const connection = await this.#options.driver.factory.open({ signal, lost: loss.report }, server)
      try {
        const role = await this.#roleOf(connection)
        if (!isSuitable(role, this.#options.plan.target)) throw new UnsuitableRoleError(role)
        if (signal.aborted) throw signal.reason
      } catch (error) {
        const isSpare = error instanceof UnsuitableRoleError && !signal.aborted && this.#mayBeSpare
        if (!isSpare) void this.#close(connection)
        else spares.push({ connection, server, loss })
        throw error
      }
      return { connection, server, loss }
    } catch (error) {
      if (!lostRace.aborted) this.#failed(server, error)
      throw error
    }
  }

  get #mayBeSpare(): boolean {
    return this.#options.plan.target === 'prefer-standby'
  }

  /** Waits until a server that has failed may be tried again. */
  async #turnOf(key: string, signal: AbortSignal): Promise<void> {
    const isInDoubt = this.#memory.failureOf(key) === undefined
    for (let wait = this.#memory.waitMillis(key); wait > 0; wait = this.#memory.waitMillis(key)) {
      // The attempt that should resolve the doubt has failed.
      if (isInDoubt && this.#memory.failureOf(key)) throw this.#memory.errorOf(key)
      // Another attempt may succeed meanwhile.
      await untilAborted(pause(Math.min(wait, TURN_CHECK_MILLIS), { background: true }), signal)
    }
    signal.throwIfAborted()
    this.#memory.tried(key)
  }

  async #roleOf(connection: C): Promise<SessionRole> {
    const { driver } = this.#options
    const role = this.#reportedRole(connection) ?? readRole(await driver.queryValue(connection, ROLE_QUERY))
    if (!role) throw new Error('the server gives no valid answer to the query for its role')
    return role
  }

  /** Undefined behind a pooler, too, which may report the role of an earlier server. */
  #reportedRole(connection: C): SessionRole | undefined {
    const { driver, isPooled } = this.#options
    return isPooled() ? undefined : reportedRole((name) => driver.parameterOf(connection, name))
  }

  #failed(server: ServerAddress, error: unknown): void {
    const key = keyOf(server)
    if (error instanceof UnsuitableRoleError) {
      this.#memory.failed(key, 'unsuitable', error)
      this.#leave(key)
    } else if (!isRejection(error)) this.#memory.failed(key, 'unreachable', error)
  }

  #succeeded(server: ServerAddress): void {
    const key = keyOf(server)
    const { home } = this.#memory
    const failure = home === undefined || home === key ? undefined : this.#memory.failureOf(home)
    this.#memory.succeeded(key)
    this.#left.delete(key)
    if (this.followsPrimary) this.#leaveUnreachable()
    if (failure) this.#options.onFailover(describeFailover(server, home as string, failure))
  }

  /** If another server is the primary, one that cannot be reached is not. */
  #leaveUnreachable(): void {
    for (const { key } of this.#members.values()) if (this.#memory.failureOf(key) === 'unreachable') this.#leave(key)
  }

  get followsPrimary(): boolean {
    const { target } = this.#options.plan
    return target === 'primary' || target === 'read-write'
  }

  #leave(key: string): void {
    if (this.#left.has(key)) return
    this.#left.add(key)
    // One attempt finds out, while the others wait.
    this.#memory.doubted(key)
    this.#options.retire((connection) => this.#members.get(connection)?.key === key)
  }

  /**
   * Rejects a new connection by what its server has reported at login, before anything is sent on it.
   *
   * @throws {UnsuitableRoleError}
   */
  rejectUnsuitable(connection: C): void {
    const role = this.#reportedRole(connection)
    if (role && !this.#mayBeSpare && !isSuitable(role, this.#options.plan.target)) throw new UnsuitableRoleError(role)
  }

  /** Whether a connection may be lent again. If its server has changed its role, the other connections to that server are closed too. */
  isFit(connection: C): boolean {
    const member = this.#members.get(connection)
    if (!member || this.#options.plan.target === 'any') return true
    const role = this.#reportedRole(connection)
    // The memory does not change: the app may have made this session alone read-only. The next login shows it.
    if (role && !this.#mayBeSpare && !isSuitable(role, this.#options.plan.target)) this.#leave(member.key)
    return !this.#left.has(member.key)
  }

  /**
   * The server has rejected a write. In a transaction the app may have asked for that; without one, the server itself is read-only.
   * Its report follows, but the app may write again before.
   */
  #onReadOnly(connection: C): void {
    const member = this.#members.get(connection)
    if (member && this.followsPrimary && !this.#options.driver.isInTransaction(connection)) this.#leave(member.key)
  }

  serverOf(connection: C): ServerAddress | undefined {
    return this.#members.get(connection)?.server
  }

  isUnreachable(server: ServerAddress): boolean {
    return this.#memory.failureOf(keyOf(server)) === 'unreachable'
  }

  /** Whether the server of a connection does not answer, and another one has taken over. */
  isCutOff(connection: C): boolean {
    const member = this.#members.get(connection)
    return member !== undefined && this.#left.has(member.key) && this.isUnreachable(member.server)
  }

  /** A server has not answered in time. */
  onUnanswered(server: ServerAddress): void {
    this.#memory.failed(keyOf(server), 'unreachable', new Error('no answer'))
  }

  /** Looks for a suitable server, without a slot of the pool. */
  async search(): Promise<void> {
    const signal = abortAfter(this.#options.connectTimeoutMillis())
    try {
      await this.#close((await this.#find({ signal, lost: () => {} })).connection)
    } catch {
      // The servers' failures are remembered.
    }
  }

  onClosing(connection: C, reason: CloseReason): void {
    const member = this.#members.get(connection)
    if (member && reason === 'lost') this.#memory.doubted(member.key)
  }

  onClosed(connection: C): void {
    this.#members.delete(connection)
  }

  async #close(connection: C): Promise<void> {
    await this.#options.driver.factory.close(connection).catch(() => {})
  }
}

/**
 * The server is reachable and rejects the login: another server is not tried, as in libpq. One that starts, stops or recovers (57P03), and
 * a PgBouncer that does not reach its server, are not available.
 */
function isRejection(error: unknown): boolean {
  return isServerError(error) && classifyConnectFailure(error) !== 'unavailable'
}

function describeFailover(server: ServerAddress, from: string, failure: 'unreachable' | 'unsuitable'): string {
  const why = failure === 'unreachable' ? 'does not answer' : 'has changed its role'
  return `New connections go to ${describeServer(server)}, because ${from} ${why}.`
}

/** Passes the loss of a connection on only if the pool gets that connection. */
class LossUntilAccepted {
  readonly #context: OpenContext
  #isAccepted = false
  #loss: { readonly error: unknown } | undefined

  constructor(context: OpenContext) {
    this.#context = context
  }

  readonly report = (error?: unknown): void => {
    if (this.#isAccepted) this.#context.lost(error)
    else this.#loss ??= { error }
  }

  /** @throws the reason if the connection has been lost meanwhile. */
  accept(): void {
    if (this.#loss) throw this.#loss.error ?? new Error('the connection was lost while it was being opened')
    this.#isAccepted = true
  }
}
