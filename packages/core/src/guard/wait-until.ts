import { InvalidOptionError } from '../invalid-option-error.ts'
import type { PoolCounts, PoolEvent, PoolSettings } from '../pool/index.ts'
import { EmptySignal } from './empty-signal.ts'
import type { PoolguardOptions } from './options/poolguard-options.ts'

/** The events after which a pool may have no connection left. */
const MAY_EMPTY: readonly PoolEvent['type'][] = ['closed', 'connect-failed', 'timeout', 'drained']

export interface WaitUntilOptions {
  /** The function of the platform. */
  readonly waitUntil: NonNullable<PoolguardOptions['waitUntil']>
  readonly pool: { readonly counts: PoolCounts }
  readonly warn: (message: string) => void
}

/** Keeps a serverless function alive until the pool has no connection and no waiter left (option `waitUntil`). */
export class WaitUntil {
  readonly #options: WaitUntilOptions
  readonly #emptySignal = new EmptySignal()

  constructor(options: WaitUntilOptions) {
    this.#options = options
  }

  /** Call it for each acquire, in the caller's own context, because platforms assign `waitUntil` to the current request. */
  onAcquire(lease: Promise<unknown>): void {
    const { waitUntil, warn } = this.#options
    try {
      waitUntil(this.#emptySignal.promise)
    } catch (error) {
      warn(`waitUntil threw an error, so idle connections may outlive the function: ${String(error)}`)
    }
    // After a rejected acquire there may be no further event.
    lease.catch(() => this.#check())
  }

  onPoolEvent(event: PoolEvent): void {
    if (MAY_EMPTY.includes(event.type)) this.#check()
  }

  #check(): void {
    this.#emptySignal.check(this.#options.pool.counts)
  }
}

/** @throws {InvalidOptionError} for a pool with `min`, which would never be empty. */
export function rejectMinWithWaitUntil({ waitUntil }: PoolguardOptions, { min }: PoolSettings): void {
  if (!waitUntil || min === 0) return
  throw new InvalidOptionError(
    'pool.min',
    min,
    '0 when waitUntil is set: the pool never closes min connections, so the function would never end',
  )
}
