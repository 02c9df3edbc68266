import type { EventEmitter } from 'node:events'

type Listener = (...args: unknown[]) => void

/** A client, and whether its listeners are those of the pool's events now. */
interface Listened {
  readonly client: EventEmitter
  readonly callsListeners: boolean
}

/**
 * Listeners that callers leave on a client when they release it. pg-pool keeps them, so some callers add theirs once for each client and
 * remember the client by object, in a WeakSet for example. Each checkout has a new client object, so they would add one at every checkout,
 * for as long as the connection lives. The listeners that the last caller left for an event therefore replace those that earlier callers left for it.
 */
export class LeftListeners {
  readonly #client: EventEmitter
  readonly #left = new Map<string | symbol, readonly Listener[]>()
  #added: Map<string | symbol, Listener[]> | undefined
  #isCheckedOut = false

  constructor(connection: Listened) {
    this.#client = connection.client
    this.#client.on('newListener', (event: string | symbol, listener: Listener) => {
      if (!this.#isCheckedOut || connection.callsListeners) return
      this.#added ??= new Map()
      this.#added.set(event, [...(this.#added.get(event) ?? []), listener])
    })
  }

  begin(): void {
    this.#isCheckedOut = true
  }

  end(): void {
    this.#isCheckedOut = false
    if (this.#added === undefined) return
    for (const [event, added] of this.#added) {
      const present = this.#client.listeners(event)
      const left = added.filter((listener) => present.includes(listener))
      if (left.length === 0) continue
      for (const listener of this.#left.get(event) ?? []) this.#client.off(event, listener)
      this.#left.set(event, left)
    }
    this.#added = undefined
  }
}
