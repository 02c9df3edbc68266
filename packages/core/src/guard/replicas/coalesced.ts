/** Runs at most one call at a time. Callers that arrive during a call share the next one: its result is no older than their request. */
export class Coalesced<T> {
  readonly #run: () => Promise<T>
  #running: Promise<T> | undefined
  #next: Promise<T> | undefined

  constructor(run: () => Promise<T>) {
    this.#run = run
  }

  /** The result of a call that begins now or later. */
  fresh(): Promise<T> {
    if (!this.#running) return this.#start()
    this.#next ??= this.#running.then(
      () => this.#start(),
      () => this.#start(),
    )
    return this.#next
  }

  /** The result of the call that runs, or of one that begins now. */
  current(): Promise<T> {
    return this.#running ?? this.#start()
  }

  #start(): Promise<T> {
    this.#next = undefined
    const running = this.#run().finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }
}
