import type { Query } from '../internals.ts'
import { closedError } from './fatal-error.ts'

/** The queries of a connection that are sent and not answered, and the callback for the moment when all of them are answered. */
export class SentQueries {
  /** In the order in which they were sent. */
  readonly #queries: Query[] = []
  #isBusy = false
  /** Called when everything sent has been answered, or the connection is lost. */
  #onAnswered: (() => void) | undefined

  /** True until the ReadyForQuery of the last query: postgres.js may settle the query before it. */
  get isBusy(): boolean {
    return this.#isBusy
  }

  /** True if all queries have their outcomes, but the connection is not ready for the next query. */
  get awaitsReady(): boolean {
    return this.#isBusy && this.#queries.length === 0
  }

  /** The query that the server is running, or will run next. */
  get atServer(): Query | undefined {
    return this.#queries.find(({ active }) => active) ?? this.#queries.at(-1)
  }

  add(query: Query): void {
    this.#queries.push(query)
    this.#isBusy = true
  }

  /** A query has its outcome. */
  remove(query: Query): void {
    const index = this.#queries.indexOf(query)
    if (index >= 0) this.#queries.splice(index, 1)
  }

  /** Everything sent has been answered. */
  onReady(): void {
    this.#queries.length = 0
    this.#isBusy = false
    this.notify()
  }

  /** The connection has closed. postgres.js does not reject queries sent after an error of the socket; this does. */
  onClosed(): void {
    this.#isBusy = false
    for (const query of this.#queries.splice(0)) query.reject(closedError())
    this.notify()
  }

  notify(): void {
    this.#onAnswered?.()
  }

  /** Replaces the callback for whenever everything sent has been answered. */
  onAnswered(callback: () => void): void {
    this.#onAnswered = callback
  }

  /** Replaces the callback by one that is called once. */
  onceAnswered(callback: () => void): void {
    this.#onAnswered = () => {
      this.#onAnswered = undefined
      callback()
    }
  }

  /** Adds a callback that is called once, after the present one. */
  alsoOnceAnswered(callback: () => void): void {
    const before = this.#onAnswered
    this.onceAnswered(() => {
      before?.()
      callback()
    })
  }

  /** Resolves when everything is answered, also what the present callback sends. */
  allAnswered(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#onAnswered
    const wait = () => {
      before?.()
      if (this.#isBusy) return
      if (this.#onAnswered === wait) this.#onAnswered = before
      resolve()
    }
    this.#onAnswered = wait
    return promise
  }
}
