/** The warning is due when this many functions are nested, the original included. */
const MANY_LAYERS = 8

/**
 * Tracks the functions with which callers replace a connection's `query`. Code that remembers wrapped clients by object, in a WeakSet,
 * sees a new object at every checkout and wraps the same connection again each time.
 */
export class ReplacedQueries {
  readonly #layers: unknown[] = []

  /** @returns true once, when the number of nested functions reaches the limit. */
  replace(current: unknown, next: unknown): boolean {
    if (this.#layers.length === 0) this.#layers.push(current)
    const known = this.#layers.indexOf(next)
    // An earlier function was restored, as instrumentation for one checkout does.
    if (known >= 0) this.#layers.length = known + 1
    else this.#layers.push(next)
    return known < 0 && this.#layers.length === MANY_LAYERS
  }
}
