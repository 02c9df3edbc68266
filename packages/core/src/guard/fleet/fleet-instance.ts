import { systemClock, withTimeout } from '../../clock.ts'
import { FleetController, type FleetShare, type FleetView, makeMember, pooledName } from '../../fleet/index.ts'
import { InvalidAnswerError } from '../../invalid-answer-error.ts'
import type { FleetSnapshot } from '../../observe/index.ts'
import { type Lease, type Pool, type PoolEvent, runDetached } from '../../pool/index.ts'
import { readError } from '../../postgres-errors/index.ts'
import type { FleetOptions } from '../../settings/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { ConsoleOptions, GuardedDriver, PoolerConsole } from '../guarded-driver.ts'
import { ExchangeLease } from './exchange-lease.ts'
import { FleetWarnings } from './fleet-warnings.ts'
import { closeConsole, exchangeThroughPooler, FleetUnavailableError } from './pgbouncer-exchange.ts'
import { type Ask, exchangeWithServer, LimitsUnreadable, type ServerExchangeOptions } from './server-exchange.ts'

const INTERVAL_MILLIS = 5_000
/** Timeout for each answer of the server. The server's own limits on an exchange are shorter. */
const ANSWER_TIMEOUT_MILLIS = 5_000
/** The instance keeps its share for this many intervals while PgBouncer's console does not show the other instances. */
const UNAVAILABLE_INTERVALS = 2
/** Minimum time to keep the share after timeouts: an instance that is only slow must not take more than its share. */
const MIN_TIMEOUT_MILLIS = 5_000

export interface FleetInstanceOptions<C> {
  readonly fleet: FleetOptions
  readonly headroom: number | undefined
  readonly engine: () => Pool<C>
  readonly driver: () => GuardedDriver<C>
  /** The bounds that the user has set; otherwise the bounds of a pool that discovers its limits. */
  readonly bounds: () => { readonly min: number; readonly max: number }
  /** Sets the pool's max. */
  readonly applyShare: (max: number, share: FleetShare | undefined) => void
  /** Called when the other instances cannot be seen: the static limit applies until an exchange succeeds. */
  readonly useStaticLimit: (why: string) => void
  readonly warn: (message: string) => void
}

/** Makes a pool an instance of its fleet: runs the controller, on the connections for its exchanges and its publication. */
export class FleetInstance<C> {
  /** `app#id`. */
  readonly member: string
  readonly #options: FleetInstanceOptions<C>
  readonly #intervalMillis: number
  readonly #controller: FleetController
  /** The connection that carries the publication: one of the pool's, or behind PgBouncer one to its console. */
  #publisher: C | PoolerConsole | undefined
  #console: PoolerConsole | undefined
  readonly #lease: ExchangeLease<C>
  readonly #warnings: FleetWarnings
  #warned = false
  #isBehindPooler = false
  #lastSeenAt = 0
  /** Why the other instances cannot be seen; undefined while they can. */
  #unavailable: FleetUnavailableError | undefined

  constructor(options: FleetInstanceOptions<C>) {
    const { fleet, headroom, engine, bounds, applyShare } = options
    this.#options = options
    this.#lease = new ExchangeLease(engine)
    this.#intervalMillis = fleet.intervalMillis ?? INTERVAL_MILLIS
    this.#warnings = new FleetWarnings({
      ...{ app: fleet.app, intervalMillis: this.#intervalMillis, warn: options.warn },
    })
    this.member = makeMember(fleet.app, Math.random)
    this.#controller = new FleetController({
      member: this.member,
      intervalMillis: this.#intervalMillis,
      headroom,
      clock: systemClock,
      random: Math.random,
      port: {
        demand: () => Math.max(0, engine().demand - this.#lease.own),
        held: () => engine().counts.total,
        open: () => engine().openOrOpening,
        bounds,
        // While the fleet is unavailable, the static limit applies.
        applyShare: (max, share) => {
          if (!this.#unavailable) applyShare(max, share)
        },
        exchange: (decide, { urgent }) =>
          runDetached(() => this.#lease.run(urgent, (lease) => this.#exchangeOn(lease, decide))),
        onExchangeFailed: (error) => this.#onExchangeFailed(error),
      },
      onDoubt: (doubt) => this.#warnings.warnDoubted(doubt),
    })
  }

  /** The `application_name` for new connections, given the topology; undefined while the topology is unknown. */
  nameFor(topology: Topology | undefined): string {
    return topology?.kind === 'direct' ? this.member : pooledName(this.member)
  }

  snapshot(): FleetSnapshot | null {
    const { share, published } = this.#controller
    if (!share) return null
    const { maxConnections: target, instances: members, sharedConnections: budget } = share
    return {
      instance: this.member,
      maxConnections: target,
      demand: published?.demand ?? 0,
      instances: members,
      sharedConnections: budget,
    }
  }

  /** Queues an acquire for the first exchange, ahead of later callers. */
  reserveConnection(): void {
    this.#lease.reserve()
  }

  /** Joins the fleet, on the reserved connection if there is one. Uses the static limit if the other instances cannot be seen. */
  async join(topology: Topology): Promise<void> {
    this.#isBehindPooler = topology.kind === 'pooler'
    if (topology.kind === 'pooler' && topology.pooler.mode === 'statement') {
      this.#useStaticLimit(new FleetUnavailableError('behind a pooler in statement mode', { retryable: false }))
      return
    }
    if (topology.kind === 'direct') this.#onAvailable()
    this.#lastSeenAt = systemClock.now()
    await this.#controller.join()
  }

  /** Whether the static limit applies for a reason that may have passed. */
  get mayRejoin(): boolean {
    return this.#unavailable?.retryable === true
  }

  leave(): void {
    this.#controller.leave()
    this.#lease.cancel()
  }

  /** Call before each acquire. */
  onAcquire(): void {
    this.#controller.onAcquire()
  }

  /** Call when the user has changed the bounds. */
  onResize(): void {
    this.#controller.onResize()
  }

  onPoolEvent(event: PoolEvent): void {
    if (event.type === 'opened') this.#controller.onOpened()
    else if (event.type === 'closed') this.#onClosed()
    else if (event.type === 'connect-failed' && event.failure === 'full') this.#controller.onServerFull()
  }

  #onClosed(): void {
    this.#controller.onClosed()
    if (this.#options.engine().counts.total === 0) this.#setPublisher(undefined)
  }

  /** Whether the connection carries the publication: the pool closes another one first when it shrinks. */
  isPublisher(connection: C): boolean {
    return connection === this.#publisher
  }

  /** Call when a connection is being closed or was lost. */
  onClosing(connection: C | PoolerConsole): void {
    if (connection !== this.#publisher) return
    this.#setPublisher(undefined)
    this.#controller.onPublisherLost()
  }

  /** @param console the publisher, if it is a connection to PgBouncer's console. */
  #setPublisher(publisher: C | PoolerConsole | undefined, console?: PoolerConsole): void {
    const before = this.#console
    this.#publisher = publisher
    if (before === console) return
    this.#console = console
    if (before) closeConsole(before)
    // The connection may already be closed.
    void console?.closed.then(() => this.onClosing(console))
  }

  async #exchangeOn(lease: Lease<C>, decide: (view: FleetView) => string): Promise<void> {
    const connection = lease.resource
    if (this.#options.driver().isInTransaction(connection)) {
      lease.release()
      throw new TransactionLeftOpen()
    }
    let publisher: C | PoolerConsole
    let begun = false
    const ask = (text: string) => {
      begun = true
      return this.#ask(connection, text)
    }
    try {
      publisher = this.#isBehindPooler
        ? await this.#exchangeThroughPooler(connection, ask, decide)
        : await this.#exchangeWithServer(lease, ask, decide)
    } catch (error) {
      if (begun) await this.#rollBack(lease, error)
      throw error
    } finally {
      lease.release()
    }
    this.#warnings.onExchanged()
    // The pool may have closed the connection meanwhile, for example at its maximum lifetime.
    if (this.#publisher !== publisher) throw new Error('the connection that was to carry the publication is closed')
  }

  async #rollBack(lease: Lease<C>, error: unknown): Promise<void> {
    // A server that did not answer the exchange would not answer a rollback either.
    if (error instanceof AnswerTimeout || (error as Error).cause instanceof AnswerTimeout) lease.destroy()
    else await this.#ask(lease.resource, 'rollback').catch(() => lease.destroy())
  }

  async #exchangeWithServer(lease: Lease<C>, ask: Ask, decide: (view: FleetView) => string): Promise<C> {
    const connection = lease.resource
    await exchangeWithServer({ member: this.member, ask, ...this.#trust }, decide)
    if (lease.active) this.#setPublisher(connection)
    return connection
  }

  async #exchangeThroughPooler(connection: C, ask: Ask, decide: (view: FleetView) => string): Promise<PoolerConsole> {
    const { driver, engine, fleet } = this.#options
    const exchange = {
      member: this.member,
      ask,
      openConsole: (options: Omit<ConsoleOptions, 'url'>) =>
        driver().openConsole(connection, { url: fleet.consoleUrl, ...options }),
      publisher: this.#console,
      open: () => engine().counts.idle + engine().counts.active,
      login: driver().loginOf(connection),
      ...this.#trust,
    }
    const publisher = await exchangeThroughPooler(exchange, (view) => {
      this.#onAvailable()
      return decide(view)
    })
    this.#lastSeenAt = systemClock.now()
    this.#setPublisher(publisher, publisher)
    // All connections may have been lost during the exchange.
    if (engine().counts.total === 0) this.#setPublisher(undefined)
    return publisher
  }

  get #trust(): Pick<ServerExchangeOptions, 'trustedRoles' | 'onIgnored'> {
    const { trustedRoles = [] } = this.#options.fleet
    return { trustedRoles, onIgnored: (connections) => this.#warnings.warnIgnored(connections) }
  }

  /** The other instances can be seen again. */
  #onAvailable(): void {
    if (!this.#unavailable) return
    this.#unavailable = undefined
    // Rejoin like a new instance that already has some connections.
    this.#options.applyShare(Math.max(1, this.#options.engine().counts.total), undefined)
  }

  #useStaticLimit(error: FleetUnavailableError): void {
    this.leave()
    this.#unavailable = error
    this.#options.useStaticLimit(error.message)
  }

  #ask(connection: C, text: string): Promise<string | null | undefined> {
    return withTimeout(this.#options.driver().ask(connection, text), ANSWER_TIMEOUT_MILLIS, () => new AnswerTimeout())
  }

  /** Keeps the share while a console is briefly unavailable, and during a PAUSE of any length. */
  #onUnavailable(error: FleetUnavailableError): void {
    const unseenMillis = systemClock.now() - this.#lastSeenAt
    const isProven = !error.timedOut && !error.serverUnreachable
    if (this.#controller.share) {
      const keptMillis = UNAVAILABLE_INTERVALS * this.#intervalMillis
      const isOver = unseenMillis > (error.timedOut ? Math.max(keptMillis, MIN_TIMEOUT_MILLIS) : keptMillis)
      if (isOver && !error.serverUnreachable) this.#useStaticLimit(error)
    } else if (isProven || unseenMillis > MIN_TIMEOUT_MILLIS) this.#useStaticLimit(error)
  }

  /** Warns of permanent failures, such as a missing privilege. A held lock or a lost connection is temporary. */
  #onExchangeFailed(error: unknown): void {
    if (error instanceof FleetUnavailableError) {
      this.#onUnavailable(error)
      return
    }
    const { code } = (error ?? {}) as { code?: unknown }
    if (code === '55P03') this.#warnings.onLockHeld()
    const isPermanent =
      error instanceof LimitsUnreadable ||
      error instanceof InvalidAnswerError ||
      error instanceof TransactionLeftOpen ||
      (typeof code === 'string' && code.startsWith('42'))
    if (!isPermanent || this.#warned) return
    this.#warned = true
    const { fleet, warn } = this.#options
    warn(
      `fleet "${fleet.app}" cannot exchange its figures, so this instance keeps its current share: ${readError(error).message}`,
    )
  }
}

class AnswerTimeout extends Error {
  static {
    AnswerTimeout.prototype.name = 'AnswerTimeout'
  }

  constructor() {
    super(`the server did not answer within ${ANSWER_TIMEOUT_MILLIS} ms`)
  }
}

/** With `resetOnRelease: 'off'` an exchange would commit the transaction that a caller has left open. */
class TransactionLeftOpen extends Error {
  static {
    TransactionLeftOpen.prototype.name = 'TransactionLeftOpen'
  }

  constructor() {
    super("a caller released a connection with an open transaction, and resetOnRelease is 'off'")
  }
}
