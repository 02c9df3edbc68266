/**
 * State that exists once in a process, however many copies of this package are loaded (ESM and CommonJS, nested
 * `node_modules`, a module that a development server loads again). It is kept on `globalThis`.
 *
 * @example
 * const listPools = new ProcessWide('poolguard.registry.1', () => new Set<object>())
 * listPools.value.add(pool)
 */
export class ProcessWide<T> {
  readonly #key: symbol
  readonly #make: () => T
  readonly #holder = globalThis as { [key: symbol]: T | undefined }

  /** @param name ends with a version; raise it when the shape of the state changes. */
  constructor(name: string, make: () => T) {
    this.#key = Symbol.for(name)
    this.#make = make
  }

  /** The state; it is made at the first access. */
  get value(): T {
    this.#holder[this.#key] ??= this.#make()
    return this.#holder[this.#key] as T
  }

  /** The state, or undefined where nothing has made it yet. */
  get existing(): T | undefined {
    return this.#holder[this.#key]
  }
}
