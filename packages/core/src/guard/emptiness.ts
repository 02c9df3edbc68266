/** Tells when a pool that had connections has none any more. */
export class Emptiness {
  #next: PromiseWithResolvers<void> | undefined

  /** Resolves when the pool is empty, once it has been looked at with connections. */
  get promise(): Promise<void> {
    this.#next ??= Promise.withResolvers()
    return this.#next.promise
  }

  /** The pool has lost a connection, or failed to open one, and now has so many. */
  left(total: number): void {
    if (total > 0) return
    this.#next?.resolve()
    this.#next = undefined
  }
}
