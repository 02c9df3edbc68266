import type { AcquireOptions, Lease, Pool } from '../../pool/index.ts'
import type { Topology } from '../../topology/index.ts'
import type { ReplicaState } from './choose-replica.ts'
import type { PrimaryHistory } from './primary-history.ts'
import type { ServerPosition } from './server-position.ts'
import type { WalPosition } from './wal-position.ts'

/** A pool that routing acquires connections from. */
export interface RoutedPool<C extends object> {
  readonly name: string
  readonly target: string
  readonly engine: Pool<C>
  readonly topology: Topology | undefined
  /** Acquires a connection of this pool. */
  acquireOwn(options?: AcquireOptions): Promise<Lease<C>>
  /** See {@link GuardedDriver.queryValue}. */
  queryValue(connection: C, text: string): Promise<string | null | undefined>
}

/** One replica, and what is known about its server. */
export class ReplicaEndpoint<C extends object> {
  readonly pool: RoutedPool<C>
  /** Reads that it has served. */
  reads = 0
  readonly #maxLagMillis: number
  /** When the server was last found or not found; undefined before. */
  #knownAt: number | undefined
  #server: ServerPosition | undefined
  #lagMillis: number | undefined
  #failure: unknown
  /** Since then, `down` is aborted by the next failure. */
  #era = new AbortController()
  #wasStandby = false

  constructor(pool: RoutedPool<C>, maxLagMillis: number) {
    this.pool = pool
    this.#maxLagMillis = maxLagMillis
  }

  /** The server has answered. */
  found(server: ServerPosition, history: PrimaryHistory, now: number): void {
    if (this.#failure !== undefined) this.#era = new AbortController()
    this.#failure = undefined
    this.#server = server
    this.#knownAt = now
    this.#wasStandby ||= server.isStandby
    this.updateLag(history, now)
  }

  /** The server could not be reached, or does not answer. */
  failed(error: unknown, now: number): void {
    this.#failure = error
    this.#knownAt = now
    this.#era.abort(new Error('the replica cannot be reached', { cause: error }))
  }

  /** All its connections are in use, so that the server could not be asked. */
  busy(history: PrimaryHistory, now: number): void {
    this.#knownAt = now
    this.updateLag(history, now)
  }

  updateLag(history: PrimaryHistory, now: number): void {
    this.#lagMillis = this.#server && history.lagMillis(this.#server, now)
  }

  /** Aborted when the server fails. */
  get down(): AbortSignal {
    return this.#era.signal
  }

  /** Why the server cannot be reached; undefined if it can. */
  get failure(): unknown {
    return this.#failure
  }

  /** Undefined if the server does not belong to the primary's cluster, or does not tell. */
  get lagMillis(): number | undefined {
    return this.#lagMillis
  }

  get state(): ReplicaState {
    if (this.#failure !== undefined) return 'down'
    if (!this.#server) return 'unknown'
    if (this.#wasStandby && !this.#server.isStandby) return 'promoted'
    return this.#lagMillis !== undefined && this.#lagMillis > this.#maxLagMillis ? 'lagging' : 'usable'
  }

  get position(): WalPosition | undefined {
    return this.#server && this.positionOf(this.#server)
  }

  /** The position that a connection to the server has; undefined if it does not tell what the next statement sees. */
  positionOf({ isStandby, position }: ServerPosition): WalPosition | undefined {
    const isPromoted = this.#wasStandby && !isStandby
    return this.pool.topology?.kind === 'direct' && !isPromoted ? position : undefined
  }

  get waiting(): number {
    return this.pool.engine.counts.waiting
  }

  get activeShare(): number {
    const { active, max } = this.pool.engine.counts
    return active / max
  }

  /** @param maxAgeMillis older knowledge does not count. */
  isKnown(now: number, maxAgeMillis: number): boolean {
    return this.#knownAt !== undefined && now - this.#knownAt <= maxAgeMillis
  }
}
