/** Signals that a pool has no connection and no waiter left. */
export class EmptySignal {
  #next: PromiseWithResolvers<void> | undefined

  /** Resolves at the next {@link check} that finds the pool empty. */
  get promise(): Promise<void> {
    this.#next ??= Promise.withResolvers()
    return this.#next.promise
  }

  /** Call after an event that may have emptied the pool. */
  check({ total, waiting }: { readonly total: number; readonly waiting: number }): void {
    if (total > 0 || waiting > 0) return
    this.#next?.resolve()
    this.#next = undefined
  }
}
