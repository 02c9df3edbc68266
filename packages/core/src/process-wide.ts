/**
 * State that exists once per process, even if several copies of this package are loaded (ESM and CommonJS, nested
 * `node_modules`, a development server that reloads modules). It is stored on `globalThis`.
 *
 * @example
 * const listPools = new ProcessWide('poolguard.registry.1', () => new Set<object>())
 * listPools.value.add(pool)
 */
export class ProcessWide<T> {
  readonly #key: symbol
  readonly #make: () => T
  readonly #holder = globalThis as { [key: symbol]: T | undefined }

  /** @param name ends with a version: increase it when the shape of the state changes. */
  constructor(name: string, make: () => T) {
    this.#key = Symbol.for(name)
    this.#make = make
  }

  /** The state; created at the first access. */
  get value(): T {
    this.#holder[this.#key] ??= this.#make()
    return this.#holder[this.#key] as T
  }

  /** The state, or undefined if it has not been created yet. */
  get existing(): T | undefined {
    return this.#holder[this.#key]
  }
}
