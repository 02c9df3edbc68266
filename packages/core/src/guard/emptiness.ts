/** Tells when a pool that had connections has none any more. */
export class Emptiness {
  #next: PromiseWithResolvers<void> | undefined

  /** Resolves when the pool is empty, once it has been looked at with connections. */
  get promise(): Promise<void> {
    this.#next ??= Promise.withResolvers()
    return this.#next.promise
  }

  /** Something has come to an end in the pool, which now has so many connections and waiters. */
  check({ total, waiting }: { readonly total: number; readonly waiting: number }): void {
    if (total > 0 || waiting > 0) return
    this.#next?.resolve()
    this.#next = undefined
  }
}
