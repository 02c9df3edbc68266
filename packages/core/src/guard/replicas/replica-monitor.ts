import type { Clock } from '../../clock.ts'
import { Alarm, runDetached } from '../../pool/index.ts'
import { askServer } from './ask-position.ts'
import { Coalesced } from './coalesced.ts'
import { PrimaryHistory } from './primary-history.ts'
import type { ReplicaEndpoint, RoutedPool } from './replica-endpoint.ts'
import type { ServerPosition } from './server-position.ts'
import type { WalPosition } from './wal-position.ts'

/** The monitor stops after this long without a read. */
const UNUSED_MILLIS = 10_000
/** How often the pool asks the servers, depending on the tolerated lag. */
const MIN_INTERVAL_MILLIS = 100
const MAX_INTERVAL_MILLIS = 1_000
/** Knowledge that is older than this many intervals does not count. */
const MAX_AGE_INTERVALS = 4
/** While a read waits for a replica, the pool asks the replica this often; the pause grows from the first to the second. */
const MIN_POLL_MILLIS = 5
const MAX_POLL_MILLIS = 50

export interface ReplicaMonitorOptions<C extends object> {
  readonly primary: RoutedPool<C>
  readonly endpoints: readonly ReplicaEndpoint<C>[]
  readonly maxLagMillis: number
  readonly clock: Clock
  /** Called after a replica was taken out or came back. */
  readonly onChange: (endpoint: ReplicaEndpoint<C>) => void
}

/** A read that waits for what the next answers of the replicas tell. */
interface Waiter {
  readonly since: number
  readonly isOver: () => boolean
  readonly resolve: () => void
}

/** Knows the state of the replicas: while the pool is used, it asks every server at an interval. */
export class ReplicaMonitor<C extends object> {
  readonly #options: ReplicaMonitorOptions<C>
  readonly #history = new PrimaryHistory()
  readonly #primary: Coalesced<ServerPosition | undefined>
  readonly #replicas: ReadonlyMap<ReplicaEndpoint<C>, Coalesced<void>>
  readonly #intervalMillis: number
  readonly #alarm: Alarm
  readonly #waiters = new Set<Waiter>()
  #usedAt = Number.NEGATIVE_INFINITY
  #isStopped = false
  #isRunning = false

  constructor(options: ReplicaMonitorOptions<C>) {
    this.#options = options
    const { maxLagMillis, clock, endpoints } = options
    this.#intervalMillis = Math.min(MAX_INTERVAL_MILLIS, Math.max(MIN_INTERVAL_MILLIS, maxLagMillis / 4))
    this.#primary = new Coalesced(() => this.#askPrimary())
    this.#replicas = new Map(endpoints.map((endpoint) => [endpoint, new Coalesced(() => this.#askReplica(endpoint))]))
    this.#alarm = new Alarm(clock, () => this.#round(), { background: true })
  }

  /**
   * Call it for each read. Resolves when a replica can be used, or all are known, or after `patienceMillis`.
   *
   * @param preferred the pool that the caller has chosen: resolves when its replica is known, even if another one can be used before.
   */
  async use(patienceMillis: number, preferred: RoutedPool<C> | undefined): Promise<void> {
    const { clock, endpoints } = this.#options
    this.#usedAt = clock.now()
    if (!this.#isRunning && !this.#isStopped) this.#round()
    const until = this.#usedAt + patienceMillis
    const isEnough = ({ pool, state }: ReplicaEndpoint<C>) => (preferred ? pool === preferred : state === 'usable')
    const isOver = () => {
      const { known } = this
      return known.length === endpoints.length || known.some(isEnough) || clock.now() >= until
    }
    if (!isOver()) await this.until(isOver)
  }

  /** Replicas whose state is known well enough. */
  get known(): readonly ReplicaEndpoint<C>[] {
    const { endpoints, clock } = this.#options
    const now = clock.now()
    return endpoints.filter((endpoint) => endpoint.isKnown(now, this.#intervalMillis * MAX_AGE_INTERVALS))
  }

  /**
   * A position that the primary has reached after the call.
   *
   * @throws if the primary cannot be asked.
   */
  async positionOfPrimary(): Promise<WalPosition> {
    const server = await runDetached(() => this.#primary.fresh())
    if (!server?.position || server.isStandby) throw new Error('the primary does not tell its position')
    return server.position
  }

  /** A connection to a replica could not be opened, or has failed. */
  failed(endpoint: ReplicaEndpoint<C>, error: unknown): void {
    this.#change(endpoint, () => endpoint.failed(error, this.#options.clock.now()))
  }

  /** Asks the replicas again and again until `isOver` says so. */
  until(isOver: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.add({ since: this.#options.clock.now(), isOver, resolve })
      if (this.#waiters.size === 1) this.#poll()
    })
  }

  #poll(): void {
    this.#checkWaiters()
    if (this.#waiters.size === 0) return
    const { clock } = this.#options
    this.#askReplicas()
    const youngest = Math.max(...[...this.#waiters].map(({ since }) => since))
    const pauseMillis = Math.min(MAX_POLL_MILLIS, Math.max(MIN_POLL_MILLIS, (clock.now() - youngest) / 4))
    clock.after(pauseMillis, () => this.#poll())
  }

  #checkWaiters(): void {
    for (const waiter of this.#waiters) {
      if (!this.#isStopped && !waiter.isOver()) continue
      this.#waiters.delete(waiter)
      waiter.resolve()
    }
  }

  stop(): void {
    this.#isStopped = true
    this.#isRunning = false
    this.#alarm.stop()
    this.#checkWaiters()
  }

  #round(): void {
    const { clock } = this.#options
    const now = clock.now()
    this.#isRunning = !this.#isStopped && now - this.#usedAt <= UNUSED_MILLIS
    if (!this.#isRunning) return
    runDetached(() => this.#primary.current()).catch(() => {})
    this.#askReplicas()
    this.#alarm.at(now + this.#intervalMillis)
  }

  #askReplicas(): void {
    runDetached(() => {
      for (const replica of this.#replicas.values()) void replica.current()
    })
  }

  async #askPrimary(): Promise<ServerPosition | undefined> {
    const { primary, clock, endpoints } = this.#options
    const askedAt = clock.now()
    const server = await askServer(primary, clock)
    if (server && !server.isStandby) this.#history.add(server, askedAt)
    for (const endpoint of endpoints) this.#change(endpoint, () => endpoint.updateLag(this.#history, clock.now()))
    return server
  }

  async #askReplica(endpoint: ReplicaEndpoint<C>): Promise<void> {
    const { clock } = this.#options
    try {
      // The lag is measured against what the primary has written.
      if (!this.#history.last) await this.#primary.current().catch(() => {})
      const server = await askServer(endpoint.pool, clock)
      this.#change(endpoint, () => {
        if (server) endpoint.found(server, this.#history, clock.now())
        else endpoint.busy(this.#history, clock.now())
      })
    } catch (error) {
      this.failed(endpoint, error)
    }
    this.#checkWaiters()
  }

  #change(endpoint: ReplicaEndpoint<C>, change: () => void): void {
    const before = endpoint.state
    change()
    if (endpoint.state === before) return
    this.#options.onChange(endpoint)
    this.#checkWaiters()
  }
}
