import { pause } from '@poolguard/core/adapter'
import type { Canceller, Query } from '../internals.ts'

/** Cancel requests in flight. A connection must not be used again before they have arrived, because they would cancel the next query. */
export class CancelRequests {
  readonly #canceller: Canceller
  readonly #pending = new Set<Promise<unknown>>()

  constructor(canceller: Canceller) {
    this.#canceller = canceller
  }

  get arePending(): boolean {
    return this.#pending.size > 0
  }

  send(query: Query): void {
    const request = Promise.resolve(this.#canceller(query))
      .catch(() => {})
      .finally(() => this.#pending.delete(request))
    this.#pending.add(request)
  }

  /** Resolves when one request has arrived or failed; immediately if none is in flight. */
  async next(): Promise<void> {
    if (this.arePending) await Promise.race(this.#pending)
  }

  /** Waits for one request, but not longer than the timeout. Resolves to false if requests are still in flight. */
  async within(timeoutMillis: number): Promise<boolean> {
    await Promise.race([this.next(), pause(timeoutMillis, { background: true })])
    return !this.arePending
  }
}
