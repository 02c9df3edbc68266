import type { AsyncLocalStorage } from 'node:async_hooks'

/**
 * State that exists once per process, even if several copies of this package are loaded (ESM and CommonJS, nested
 * `node_modules`, a development server that reloads modules). It is stored on `globalThis`.
 *
 * @example
 * const labels = new ProcessWide('example.labels.1', () => new Set<string>())
 * labels.value.add('GET /orders')
 */
export class ProcessWide<T> {
  readonly #make: () => T
  /** Shared by all copies. Reading a field of it costs a checkout nothing, unlike a property of `globalThis`. */
  readonly #cell: { value: T | undefined }

  /** @param name ends with a version; raise it when the shape of the state changes. */
  constructor(name: string, make: () => T) {
    const cells = globalThis as { [key: symbol]: { value: T | undefined } | undefined }
    const key = Symbol.for(name)
    cells[key] ??= { value: undefined }
    this.#cell = cells[key]
    this.#make = make
  }

  /** The state; it is made at the first access. */
  get value(): T {
    this.#cell.value ??= this.#make()
    return this.#cell.value
  }

  /** The state, or undefined where nothing has made it yet. */
  get existing(): T | undefined {
    return this.#cell.value
  }
}

/** An AsyncLocalStorage of the process. It is created with its first value: before Node 24, one in use slows every await of the process. */
export function processWideStorage<T>(name: string): ProcessWide<AsyncLocalStorage<T>> {
  return new ProcessWide(name, () => new (process.getBuiltinModule('node:async_hooks').AsyncLocalStorage)<T>())
}
