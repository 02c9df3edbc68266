import { systemClock } from '../../clock.ts'
import { FleetController, FleetPart } from '../../fleet/index.ts'
import { InvalidAnswerError } from '../../invalid-answer-error.ts'
import type { FleetSnapshot } from '../../observe/index.ts'
import { type Pool, type PoolEvent, runDetached } from '../../pool/index.ts'
import { readError } from '../../postgres-errors/index.ts'
import type { FleetOptions } from '../../settings/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import type { PoolBounds } from '../pool-bounds.ts'
import type { ExchangeLease } from './exchange-lease.ts'
import { FleetExchange, TransactionLeftOpen } from './fleet-exchange.ts'
import { FleetWarnings } from './fleet-warnings.ts'
import { FleetUnavailableError } from './pgbouncer-exchange.ts'
import { Publisher } from './publisher.ts'
import { LimitsUnreadable } from './server-exchange.ts'

const INTERVAL_MILLIS = 5_000
/** The instance keeps its share for this many intervals while PgBouncer's console does not show the other instances. */
const UNAVAILABLE_INTERVALS = 2
/** Minimum time to keep the share after timeouts: an instance that is only slow must not take more than its share. */
const MIN_TIMEOUT_MILLIS = 5_000

export interface FleetMembershipOptions<C> {
  /** `app#id`. */
  readonly member: string
  readonly fleet: FleetOptions
  readonly headroom: number | undefined
  readonly engine: Pool<C>
  readonly demand: () => number
  readonly driver: GuardedDriver<C>
  readonly bounds: PoolBounds
  readonly lease: ExchangeLease<C>
  /** Called after the static limit was applied, because the other instances cannot be seen. */
  readonly onUnavailable: () => void
  readonly warn: (message: string) => void
}

/** Makes a pool follow its fleet: connects the controller with the pool, and decides when the static limit applies instead. */
export class FleetMembership<C> {
  readonly #options: FleetMembershipOptions<C>
  readonly #intervalMillis: number
  readonly #controller: FleetController
  readonly #publisher: Publisher<C>
  readonly #exchange: FleetExchange<C>
  readonly #warnings: FleetWarnings
  /** Its part in the adaptive limit of the fleet, if it has one. */
  readonly part: FleetPart | undefined
  #warned = false
  /** From the last join. */
  #topologyKind: Topology['kind'] = 'unknown'
  #lastSeenAt = 0
  /** Why the other instances cannot be seen; undefined while they can. */
  #unavailable: FleetUnavailableError | undefined

  constructor(options: FleetMembershipOptions<C>) {
    const { member, fleet, headroom, engine, demand, bounds, lease, warn } = options
    this.#options = options
    this.#intervalMillis = fleet.intervalMillis ?? INTERVAL_MILLIS
    this.#warnings = new FleetWarnings({
      ...{ app: fleet.app, intervalMillis: this.#intervalMillis, warn },
    })
    this.part = fleet.adaptive ? new FleetPart(2 * engine.settings.serverCores + 1) : undefined
    this.#publisher = new Publisher(() => this.#controller.onPublisherLost())
    this.#exchange = new FleetExchange({
      ...options,
      publisher: this.#publisher,
      warnings: this.#warnings,
      onVisible: () => this.#onAvailable(),
      onExchanged: () => {
        this.#lastSeenAt = systemClock.now()
      },
    })
    this.#controller = new FleetController({
      member,
      intervalMillis: this.#intervalMillis,
      headroom,
      part: this.part,
      clock: systemClock,
      random: Math.random,
      port: {
        demand: () => Math.max(0, demand() - lease.own),
        held: () => engine.counts.total,
        open: () => engine.openOrOpening,
        opened: () => engine.openOrOpening - engine.counts.connecting,
        bounds: () => bounds.requested,
        // While the fleet is unavailable, the static limit applies.
        applyShare: (max, share) => {
          if (!this.#unavailable) bounds.applyShare(max, share)
        },
        exchange: (decide, { urgent }) =>
          runDetached(() => lease.run(urgent, (lent) => this.#exchange.run(lent, decide, this.#topologyKind))),
        onExchangeFailed: (error) => this.#onExchangeFailed(error),
      },
      onDoubt: (doubt) => this.#warnings.warnDoubted(doubt),
    })
  }

  snapshot(): FleetSnapshot | null {
    const { share, published } = this.#controller
    if (!share) return null
    const { maxConnections, instances, sharedConnections } = share
    const { member: instance } = this.#options
    return {
      ...{ instance, maxConnections, demand: published?.demand ?? 0, instances, sharedConnections },
      ...(this.part && { adaptiveLimit: this.part.total }),
    }
  }

  /** Joins the fleet. Uses the static limit if the other instances cannot be seen. */
  async join(topology: Topology): Promise<void> {
    this.#topologyKind = topology.kind
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
    this.#options.lease.cancel()
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
    else if (event.type === 'closed') this.#onClosed({ wasLost: event.reason === 'lost' })
    else if (event.type === 'connect-failed') this.#controller.onOpenFailed({ isFull: event.failure === 'full' })
  }

  #onClosed(how: { readonly wasLost: boolean }): void {
    this.#controller.onClosed(how)
    if (this.#options.engine.counts.total === 0) this.#publisher.clear()
  }

  /** Whether the connection carries the publication: the pool closes another one first when it shrinks. */
  isPublisher(connection: C): boolean {
    return this.#publisher.is(connection)
  }

  /** Call when a connection is being closed or was lost. */
  onClosing(connection: C): void {
    this.#publisher.onClosing(connection)
  }

  /** The other instances can be seen again. */
  #onAvailable(): void {
    if (!this.#unavailable) return
    this.#unavailable = undefined
    // Rejoin like a new instance that already has some connections.
    const { engine, bounds } = this.#options
    bounds.applyShare(Math.max(1, engine.counts.total), undefined)
  }

  #useStaticLimit(error: FleetUnavailableError): void {
    this.leave()
    this.#unavailable = error
    this.#options.bounds.useStaticLimit(error.message)
    this.#options.onUnavailable()
  }

  /** Keeps the share while a console is briefly unavailable, during a PAUSE of any length, and while there is no server. */
  #onUnavailable(error: FleetUnavailableError): void {
    const { kind } = error
    // No instance can use connections, whatever its limit, so it waits for the server.
    if (kind === 'no-server') this.#lastSeenAt = systemClock.now()
    const unseenMillis = systemClock.now() - this.#lastSeenAt
    const keptMillis = UNAVAILABLE_INTERVALS * this.#intervalMillis
    const isOver = this.#controller.share
      ? kind !== 'unanswered' &&
        unseenMillis > (kind === 'slow-console' ? Math.max(keptMillis, MIN_TIMEOUT_MILLIS) : keptMillis)
      : kind === 'rejected' || unseenMillis > MIN_TIMEOUT_MILLIS
    if (isOver) this.#useStaticLimit(error)
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
