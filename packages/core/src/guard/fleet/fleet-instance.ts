import { type FleetPart, makeMember, pooledName } from '../../fleet/index.ts'
import type { FleetSnapshot } from '../../observe/index.ts'
import type { Pool, PoolEvent } from '../../pool/index.ts'
import { readError } from '../../postgres-errors/index.ts'
import type { FleetOptions } from '../../settings/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'
import type { PoolBounds } from '../pool-bounds.ts'
import { ExchangeLease } from './exchange-lease.ts'
import type { FleetMembership } from './fleet-membership.ts'

export interface FleetInstanceOptions<C> {
  readonly fleet: FleetOptions
  readonly headroom: number | undefined
  readonly engine: Pool<C>
  /** Connections in use, waiters, and statements that wait behind others on a shared connection. */
  readonly demand: () => number
  readonly bounds: PoolBounds
  /** Called after the static limit was applied, because the other instances cannot be seen. */
  readonly onUnavailable: () => void
  readonly warn: (message: string) => void
}

/**
 * A pool as an instance of its fleet. It has a name from the start, which its first connection carries. The rest of a membership
 * is loaded while that connection is opened, because most pools are in no fleet.
 */
export class FleetInstance<C> {
  /** `app#id`. */
  readonly member: string
  readonly #options: FleetInstanceOptions<C>
  readonly #lease: ExchangeLease<C>
  /** Undefined until the instance has joined for the first time. */
  #membership: FleetMembership<C> | undefined
  #hasLeft = false

  constructor(options: FleetInstanceOptions<C>) {
    this.#options = options
    this.#lease = new ExchangeLease(options.engine)
    this.member = makeMember(options.fleet.app, Math.random)
  }

  /** The `application_name` for new connections, given the topology; undefined while the topology is unknown. */
  nameFor(topology: Topology | undefined): string {
    return topology?.kind === 'direct' ? this.member : pooledName(this.member)
  }

  /** Its part in the adaptive limit of the fleet; undefined until it has joined for the first time. */
  get part(): FleetPart | undefined {
    return this.#membership?.part
  }

  snapshot(): FleetSnapshot | null {
    return this.#membership?.snapshot() ?? null
  }

  /** Queues an acquire for the first exchange, ahead of later callers. */
  reserveConnection(): void {
    this.#lease.reserve()
    // If that fails, joining fails with the same error.
    import('./fleet-membership.ts').catch(() => {})
  }

  /** Joins the fleet, on the reserved connection if there is one. Uses the static limit if the other instances cannot be seen. */
  async join(topology: Topology, driver: GuardedDriver<C>): Promise<void> {
    this.#hasLeft = false
    try {
      this.#membership ??= await this.#loadMembership(driver)
    } catch (error) {
      this.#lease.cancel()
      this.#options.bounds.useStaticLimit(`@poolguard/core cannot load its files (${readError(error).message})`)
      this.#options.onUnavailable()
      return
    }
    if (!this.#hasLeft) await this.#membership.join(topology)
  }

  async #loadMembership(driver: GuardedDriver<C>): Promise<FleetMembership<C>> {
    const { FleetMembership } = await import('./fleet-membership.ts')
    return new FleetMembership({ ...this.#options, driver, member: this.member, lease: this.#lease })
  }

  /** Whether the static limit applies for a reason that may have passed. */
  get mayRejoin(): boolean {
    return this.#membership?.mayRejoin === true
  }

  leave(): void {
    this.#hasLeft = true
    if (this.#membership) this.#membership.leave()
    else this.#lease.cancel()
  }

  /** Call before each acquire. */
  onAcquire(): void {
    this.#membership?.onAcquire()
  }

  /** Call when the user has changed the bounds. */
  onResize(): void {
    this.#membership?.onResize()
  }

  onPoolEvent(event: PoolEvent): void {
    this.#membership?.onPoolEvent(event)
  }

  /** Whether the connection carries the publication: the pool closes another one first when it shrinks. */
  isPublisher(connection: C): boolean {
    return this.#membership?.isPublisher(connection) === true
  }

  /** Call when a connection is being closed or was lost. */
  onClosing(connection: C): void {
    this.#membership?.onClosing(connection)
  }
}
