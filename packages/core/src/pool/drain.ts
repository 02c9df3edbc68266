import type { Clock } from '../clock.ts'
import { PoolClosedError } from './errors.ts'
import type { Lanes } from './lanes.ts'
import type { PoolEntry } from './lease.ts'
import type { PoolEvent } from './pool-events.ts'
import type { PoolResources } from './pool-resources.ts'

export interface DrainOptions<R> {
  /** Name of the pool. */
  readonly name: string
  readonly clock: Clock
  readonly lanes: Lanes<R>
  readonly resources: PoolResources<R>
  readonly endLease: (entry: PoolEntry<R>) => void
  readonly emit: (event: PoolEvent) => void
}

/** The shutdown of a pool: current waiters are served, leases may end, then every connection is closed. */
export class Drain<R> {
  readonly #options: DrainOptions<R>
  readonly #deadline = Promise.withResolvers<void>()
  readonly #emptied = Promise.withResolvers<void>()
  readonly #finished = Promise.withResolvers<void>()

  constructor(options: DrainOptions<R>) {
    this.#options = options
  }

  /**
   * Begins the shutdown; later calls can only shorten its deadline. Resolves when the server has closed all connections.
   *
   * @param millis how long waiters and leases may take.
   */
  within(millis: number): Promise<void> {
    const { clock, resources } = this.#options
    if (!resources.isDraining) {
      resources.beginDrain()
      void this.#run().then(this.#finished.resolve)
    }
    if (millis !== Infinity) {
      const cancel = clock.after(millis, () => this.#deadline.resolve())
      void this.#finished.promise.then(cancel)
    }
    return this.#finished.promise
  }

  /** Call it when no caller waits: idle connections are closed then. */
  onNoWaiters(): void {
    const { resources, lanes } = this.#options
    if (!resources.isDraining || lanes.size > 0) return
    resources.endDrain()
    this.onReduced()
  }

  /** Call it when the pool has one connection less. */
  onReduced(): void {
    const { resources } = this.#options
    if (resources.isDraining && resources.total === 0) this.#emptied.resolve()
  }

  async #run(): Promise<void> {
    const { name, lanes, resources, endLease, emit } = this.#options
    lanes.rejectInternal(() => new PoolClosedError(name))
    this.onNoWaiters()
    await Promise.race([this.#emptied.promise, this.#deadline.promise])
    lanes.rejectAll(() => new PoolClosedError(name))
    const forced = resources.entries.open
    for (const entry of resources.entries) {
      endLease(entry)
      void resources.close(entry, 'drain')
    }
    await this.#emptied.promise
    emit({ type: 'drained', forced })
  }
}
