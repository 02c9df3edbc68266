/** From this many on, a warning is due. */
const MANY_LAYERS = 8

/**
 * The functions that borrowers have put in place of a connection's `query`, each on top of the last. Code that marks the
 * clients it has wrapped by object, in a WeakSet, finds an unmarked one at every checkout, and would wrap without end.
 */
export class ReplacedQueries {
  readonly #layers: unknown[] = []

  /** @returns true once, when there are many. */
  replace(current: unknown, next: unknown): boolean {
    if (this.#layers.length === 0) this.#layers.push(current)
    const known = this.#layers.indexOf(next)
    // Put back, as after a query was watched for one checkout.
    if (known >= 0) this.#layers.length = known + 1
    else this.#layers.push(next)
    return known < 0 && this.#layers.length === MANY_LAYERS
  }
}
