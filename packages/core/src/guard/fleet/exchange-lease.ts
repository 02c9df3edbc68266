import { abortAfter } from '../../clock.ts'
import type { Lease, Pool } from '../../pool/index.ts'

/** How long a look waits for a connection to come free; the next one may have a need behind it. */
const RELEASE_MILLIS = 1_000
/** How long a look with a need behind it waits for a connection to come free, before one more is opened for it. */
const PATIENCE_MILLIS = 50
/**
 * The same after a look that has failed: mostly another instance had the lock for too long. If each of many instances that contend for
 * the lock then opened one more connection, they would open more than the headroom leaves.
 */
const PATIENCE_AFTER_FAILURE_MILLIS = 1_000
/** How long that may take. */
const OPEN_MILLIS = 5_000

/** How the looks of a fleet come by a connection. They are no callers. */
export class ExchangeLease<C> {
  readonly #engine: () => Pool<C>
  /** A place in the line, taken before the first caller's. */
  #taken: Promise<Lease<C>> | undefined
  #own = 0
  #hasFailed = false

  constructor(engine: () => Pool<C>) {
    this.#engine = engine
  }

  /** Leases and waits that are the looks' own. */
  get own(): number {
    return this.#own
  }

  /** Lines up, before the callers that come after. */
  take(): void {
    if (this.#taken) return
    this.#own++
    const taken = this.#engine().acquire({ internal: 'queued' })
    this.#taken = taken
    taken.catch(() => this.#leave(taken))
  }

  giveUp(): void {
    const taken = this.#taken
    if (!taken) return
    this.#leave(taken)
    taken.then(
      (lease) => lease.release(),
      () => {},
    )
  }

  /** Lends a connection for a look, by the place in the line where one was taken. Whoever gets it releases it. */
  async use(urgent: boolean, look: (lease: Lease<C>) => Promise<void>): Promise<void> {
    const taken = this.#taken
    if (!taken) this.#own++
    this.#taken = undefined
    try {
      const lease = await (taken ?? this.#borrow(urgent))
      this.#hasFailed = true
      await look(lease)
      this.#hasFailed = false
    } finally {
      this.#own--
    }
  }

  /**
   * Never behind those who wait: they may be waiting for its outcome, and so may all who hold one. What it does not get in
   * time is no timeout of the pool's.
   */
  async #borrow(urgent: boolean): Promise<Lease<C>> {
    const engine = this.#engine()
    const within = (millis: number) => ({
      internal: 'first' as const,
      timeoutMillis: Infinity,
      signal: abortAfter(millis),
    })
    if (!urgent) return engine.acquire(within(RELEASE_MILLIS))
    const patience = within(this.#hasFailed ? PATIENCE_AFTER_FAILURE_MILLIS : PATIENCE_MILLIS)
    try {
      return await engine.acquire(patience)
    } catch (error) {
      if (!patience.signal.aborted) throw error
      return await engine.acquire({ ...within(OPEN_MILLIS), internal: 'overflow' })
    }
  }

  #leave(taken: Promise<Lease<C>>): void {
    if (this.#taken !== taken) return
    this.#taken = undefined
    this.#own--
  }
}
