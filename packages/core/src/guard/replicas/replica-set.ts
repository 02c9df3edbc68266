import { type Clock, systemClock } from '../../clock.ts'
import type { ReplicaSnapshot, RoutingSnapshot } from '../../observe/index.ts'
import { type AcquireOptions, ConnectError, currentReadScope, type Lease } from '../../pool/index.ts'
import { askOn } from './ask-position.ts'
import { chooseReplica } from './choose-replica.ts'
import { NoReplicaError } from './no-replica-error.ts'
import { type Need, OwnWrites } from './own-writes.ts'
import { ReadTexts } from './read-texts.ts'
import { ReplicaEndpoint, type RoutedPool } from './replica-endpoint.ts'
import { ReplicaMonitor } from './replica-monitor.ts'
import type { ReplicaPolicy } from './replica-options.ts'
import { covers, type WalPosition } from './wal-position.ts'

/** How long the first reads wait to learn which replicas can be used, before they go to the primary, or fail. */
const PATIENCE_MILLIS = 1_000
const REJECT_AFTER_MILLIS = 5_000

export interface ReplicaSetOptions<C extends object> {
  readonly primary: RoutedPool<C>
  readonly replicas: readonly RoutedPool<C>[]
  readonly policy: ReplicaPolicy
  readonly warn: (message: string) => void
  readonly clock?: Clock
}

/** A primary and its replicas: chooses the server of each read. */
export class ReplicaSet<C extends object> {
  readonly texts: ReadTexts = new ReadTexts()
  readonly #options: ReplicaSetOptions<C>
  readonly #clock: Clock
  readonly #endpoints: readonly ReplicaEndpoint<C>[]
  readonly #monitor: ReplicaMonitor<C>
  readonly #writes = new OwnWrites()
  /** What each connection to a replica is known to have replayed. */
  readonly #replayed = new WeakMap<C, WalPosition>()
  #turn = 0
  #hasWarned = false
  #readsOnPrimary = 0

  constructor(options: ReplicaSetOptions<C>) {
    const { primary, replicas, policy, clock = systemClock } = options
    this.#options = options
    this.#clock = clock
    this.#endpoints = replicas.map((pool) => new ReplicaEndpoint(pool, policy.maxLagMillis))
    this.#monitor = new ReplicaMonitor({
      ...{ primary, endpoints: this.#endpoints, maxLagMillis: policy.maxLagMillis, clock },
      onChange: (endpoint) => this.#onChange(endpoint),
    })
  }

  /** Acquires a connection of the primary for statements that may write. */
  async acquireForWrite(options: AcquireOptions | undefined): Promise<Lease<C>> {
    const lease = await this.#options.primary.acquireOwn(options)
    if (this.#options.policy.ownWritesMillis !== undefined) this.#writes.add(lease, currentReadScope().unit)
    return lease
  }

  /**
   * Acquires a connection for statements that only read: of a replica that has replayed the caller's writes, else of the primary.
   *
   * @param preferred the pool that the caller has chosen.
   * @throws the errors of {@link Pool.acquire}; {@link ConnectError} if no replica can be used and the policy forbids the primary.
   */
  async acquireForRead(options: AcquireOptions | undefined, preferred?: RoutedPool<C>): Promise<Lease<C>> {
    const scope = currentReadScope()
    if (scope.isOnPrimary) return await this.acquireOnPrimary(options)
    const need = this.#writes.need(scope.unit, () => this.#ask())
    await this.#monitor.use(this.#options.policy.rejects ? REJECT_AFTER_MILLIS : PATIENCE_MILLIS, preferred)
    const tried = new Set<ReplicaEndpoint<C>>()
    let position: WalPosition | undefined
    try {
      position = await need?.position
    } catch {
      return await this.#onPrimary(options)
    }
    for (;;) {
      const waitUntil = need?.waitUntil ?? 0
      const endpoint = await this.#choose({ position, tried, preferred, waitUntil, signal: options?.signal })
      if (!endpoint) return await this.#withoutReplica(options, position)
      const lease = await this.#acquireAt(endpoint, options, position)
      if (lease) return lease
      tried.add(endpoint)
    }
  }

  /** Acquires a connection of the primary for statements that only read. */
  acquireOnPrimary(options: AcquireOptions | undefined): Promise<Lease<C>> {
    return this.#options.primary.acquireOwn(options)
  }

  #ask(): Need {
    const { ownWritesMillis = 0 } = this.#options.policy
    return { position: this.#monitor.positionOfPrimary(), waitUntil: this.#clock.now() + ownWritesMillis }
  }

  async #choose({ position, tried, preferred, waitUntil, signal }: Wanted<C>): Promise<ReplicaEndpoint<C> | undefined> {
    const choose = () => {
      const left = this.#monitor.known.filter((endpoint) => !tried.has(endpoint))
      const chosenBefore = left.find(({ pool }) => pool === preferred)
      return chooseReplica(this.#inTurn(left), { needed: position, preferred: chosenBefore })
    }
    let choice = choose()
    if (position && !choice.chosen) this.#warnOfIncomparable()
    const mayWait = () => {
      if (signal?.aborted) return false
      const leftMillis = waitUntil - this.#clock.now()
      // A replica that was further behind than the wait is long does not come in time.
      return (
        leftMillis > 0 &&
        choice.behind.some(({ lagMillis = 0 }) => lagMillis <= (this.#options.policy.ownWritesMillis ?? 0))
      )
    }
    if (choice.chosen || !position || !mayWait()) return choice.chosen
    await this.#monitor.until(() => {
      choice = choose()
      return choice.chosen !== undefined || !mayWait()
    })
    return choice.chosen
  }

  /** The reads after a write would go to the primary from then on, which would not be noticed. */
  #warnOfIncomparable(): void {
    const usable = this.#endpoints.filter(({ state }) => state === 'usable')
    if (this.#hasWarned || usable.length === 0 || usable.some(({ position }) => position)) return
    this.#hasWarned = true
    const names = usable.map(({ pool }) => pool.name).join(', ')
    this.#options.warn(
      `Reads after own writes go to the primary, because ${names} cannot tell whether the writes have arrived there: behind a transaction pooler, or ` +
        'not a physical standby of the primary. If reads may miss the writes of their caller, set readYourWritesMillis: false.',
    )
  }

  /** Equally loaded replicas get the same number of reads. */
  #inTurn(endpoints: readonly ReplicaEndpoint<C>[]): readonly ReplicaEndpoint<C>[] {
    const turn = this.#turn++ % Math.max(1, endpoints.length)
    return [...endpoints.slice(turn), ...endpoints.slice(0, turn)]
  }

  /** Undefined if the replica cannot be used for this read. */
  async #acquireAt(
    endpoint: ReplicaEndpoint<C>,
    options: AcquireOptions | undefined,
    position: WalPosition | undefined,
  ): Promise<Lease<C> | undefined> {
    const lease = await this.#tryAcquire(endpoint, options)
    if (!lease || !(await this.#hasReplayed(endpoint, lease, position))) return undefined
    endpoint.reads++
    return lease
  }

  async #tryAcquire(endpoint: ReplicaEndpoint<C>, options: AcquireOptions | undefined): Promise<Lease<C> | undefined> {
    const { down } = endpoint
    const signal = options?.signal ? AbortSignal.any([options.signal, down]) : down
    try {
      return await endpoint.pool.acquireOwn({ ...options, signal })
    } catch (error) {
      if (down.aborted && error === down.reason) return undefined
      if (!(error instanceof ConnectError)) throw error
      this.#monitor.failed(endpoint, error)
      return undefined
    }
  }

  /** Asks on the very connection of the read: an address may lead to several servers. */
  async #hasReplayed(
    endpoint: ReplicaEndpoint<C>,
    lease: Lease<C>,
    position: WalPosition | undefined,
  ): Promise<boolean> {
    if (!position || covers(this.#replayed.get(lease.resource), position)) return true
    try {
      const replayed = endpoint.positionOf(await askOn(endpoint.pool, lease, this.#clock))
      if (replayed) this.#replayed.set(lease.resource, replayed)
    } catch (error) {
      this.#monitor.failed(endpoint, error)
      return false
    }
    if (covers(this.#replayed.get(lease.resource), position)) return true
    lease.release()
    return false
  }

  #withoutReplica(options: AcquireOptions | undefined, position: WalPosition | undefined): Promise<Lease<C>> {
    const { policy, primary } = this.#options
    const isUsable = this.#endpoints.some(({ state }) => state === 'usable')
    if (!policy.rejects || (position && isUsable)) return this.#onPrimary(options)
    const replicas = this.#endpoints.map((endpoint) => describe(endpoint))
    return Promise.reject(new ConnectError(primary.name, new NoReplicaError(replicas)))
  }

  #onPrimary(options: AcquireOptions | undefined): Promise<Lease<C>> {
    this.#readsOnPrimary++
    return this.acquireOnPrimary(options)
  }

  /** The pool of a replica could not open a connection. */
  onConnectFailed(pool: RoutedPool<C>, error: unknown): void {
    const endpoint = this.#endpoints.find((each) => each.pool === pool)
    if (endpoint) this.#monitor.failed(endpoint, error)
  }

  #onChange(endpoint: ReplicaEndpoint<C>): void {
    const { state } = endpoint
    if (state === 'unknown') return
    const { warn } = this.#options
    if (state === 'usable') {
      if (this.#out.delete(endpoint)) warn(`${endpoint.pool.name} is used for reads again.`)
      return
    }
    this.#out.add(endpoint)
    warn(`Reads do not use ${describe(endpoint)}.`)
  }

  /** Replicas that were taken out. */
  readonly #out = new Set<ReplicaEndpoint<C>>()

  snapshot(): RoutingSnapshot {
    const replicas = this.#endpoints.map(
      (endpoint): ReplicaSnapshot => ({
        name: endpoint.pool.name,
        target: endpoint.pool.target,
        state: endpoint.state,
        lagMillis: endpoint.lagMillis ?? null,
        reads: endpoint.reads,
        problem: ['unknown', 'usable'].includes(endpoint.state) ? null : describe(endpoint),
      }),
    )
    return { readsOnPrimary: this.#readsOnPrimary, replicas }
  }

  stop(): void {
    this.#monitor.stop()
  }
}

interface Wanted<C extends object> {
  readonly position: WalPosition | undefined
  readonly tried: ReadonlySet<ReplicaEndpoint<C>>
  readonly preferred: RoutedPool<C> | undefined
  readonly waitUntil: number
  readonly signal: AbortSignal | undefined
}

/** As in "orders-replica-1, which lags 12.0 s behind". */
function describe<C extends object>({ pool, state, lagMillis = 0, failure }: ReplicaEndpoint<C>): string {
  if (state === 'lagging') return `${pool.name}, which lags ${(lagMillis / 1_000).toFixed(1)} s behind the primary`
  if (state === 'promoted') return `${pool.name}, which has been promoted to a primary`
  if (state === 'down')
    return `${pool.name}, which cannot be reached (${failure instanceof Error ? failure.message : failure})`
  return pool.name
}
