import type { Canceller, Query } from '../internals.ts'

/** The requests to cancel that are on their way; a connection must not be used again before they have arrived. */
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

  /** Resolves when one of them has arrived or failed; at once if there is none. */
  async next(): Promise<void> {
    if (this.arePending) await Promise.race(this.#pending)
  }
}
