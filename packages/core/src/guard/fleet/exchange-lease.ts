import { abortAfter } from '../../clock.ts'
import type { Lease, Pool } from '../../pool/index.ts'

/** How long an exchange waits for a connection if it is not urgent. */
const ACQUIRE_TIMEOUT_MILLIS = 1_000
/** How long an urgent exchange waits for a connection before it opens one beyond max. */
const URGENT_TIMEOUT_MILLIS = 50
/**
 * The same after a failed exchange, which mostly means that another instance held the lock for too long. If each of many
 * contending instances then opened a connection beyond max, together they would exceed the headroom.
 */
const URGENT_TIMEOUT_AFTER_FAILURE_MILLIS = 1_000
/** Timeout for opening that additional connection. */
const OPEN_TIMEOUT_MILLIS = 5_000

/** Acquires the connection for a fleet exchange. These acquires are not counted as demand. */
export class ExchangeLease<C> {
  readonly #engine: Pool<C>
  /** An acquire that was queued ahead of the first caller. */
  #reserved: Promise<Lease<C>> | undefined
  #own = 0
  #hasFailed = false

  constructor(engine: Pool<C>) {
    this.#engine = engine
  }

  /** Leases and waiters of exchanges. */
  get own(): number {
    return this.#own
  }

  /** Queues an acquire now, ahead of later callers. */
  reserve(): void {
    if (this.#reserved) return
    this.#own++
    const reserved = this.#engine.acquire({ internal: 'queued' })
    this.#reserved = reserved
    reserved.catch(() => this.#drop(reserved))
  }

  cancel(): void {
    const reserved = this.#reserved
    if (!reserved) return
    this.#drop(reserved)
    reserved.then(
      (lease) => lease.release(),
      () => {},
    )
  }

  /** Runs an exchange on the reserved connection, or acquires one. The exchange releases the lease. */
  async run(urgent: boolean, exchange: (lease: Lease<C>) => Promise<void>): Promise<void> {
    const reserved = this.#reserved
    if (!reserved) this.#own++
    this.#reserved = undefined
    try {
      const lease = await (reserved ?? this.#acquire(urgent))
      this.#hasFailed = true
      await exchange(lease)
      this.#hasFailed = false
    } finally {
      this.#own--
    }
  }

  /**
   * Acquires ahead of all waiters, because they may depend on the result of the exchange. A timeout here is not an acquire timeout
   * of the pool.
   */
  async #acquire(urgent: boolean): Promise<Lease<C>> {
    const engine = this.#engine
    const within = (millis: number) => ({
      internal: 'first' as const,
      timeoutMillis: Infinity,
      signal: abortAfter(millis),
    })
    if (!urgent) return engine.acquire(within(ACQUIRE_TIMEOUT_MILLIS))
    const urgentAcquire = within(this.#hasFailed ? URGENT_TIMEOUT_AFTER_FAILURE_MILLIS : URGENT_TIMEOUT_MILLIS)
    try {
      return await engine.acquire(urgentAcquire)
    } catch (error) {
      if (!urgentAcquire.signal.aborted) throw error
      return await engine.acquire({ ...within(OPEN_TIMEOUT_MILLIS), internal: 'overflow' })
    }
  }

  #drop(reserved: Promise<Lease<C>>): void {
    if (this.#reserved !== reserved) return
    this.#reserved = undefined
    this.#own--
  }
}
