import type { Clock } from '../clock.ts'

/** After this many timeouts a pending query is given up, and the source is queried again. */
const MAX_TIMEOUTS = 10

export interface PatientQueryOptions {
  /** Answers younger than this are reused. */
  readonly intervalMillis: number
  /** How long a reader waits for an answer. */
  readonly timeoutMillis: number
  readonly clock: Clock
  /** Called with the error of a query that fails. */
  readonly onError: (error: unknown) => void
}

/** Queries another server at most once per interval, and with one query at a time. */
export class PatientQuery<T> {
  readonly #ask: () => Promise<T>
  readonly #options: PatientQueryOptions
  #askedAt = -Infinity
  /** When the pending query was started. */
  #pendingSince: number | undefined
  #answer: Promise<T | undefined> = Promise.resolve(undefined)

  constructor(ask: () => Promise<T>, options: PatientQueryOptions) {
    this.#ask = ask
    this.#options = options
  }

  /** Never rejects: resolves to undefined if the server does not answer in time. */
  read(): Promise<T | undefined> {
    const { clock, intervalMillis } = this.#options
    const now = clock.now()
    if (now - this.#askedAt >= intervalMillis) {
      this.#askedAt = now
      // Do not add a second query while one is pending.
      this.#answer = this.#isPending(now) ? Promise.resolve(undefined) : this.#askWithTimeout(now)
    }
    return this.#answer
  }

  async #askWithTimeout(since: number): Promise<T | undefined> {
    const { clock, timeoutMillis, onError } = this.#options
    this.#pendingSince = since
    const answer = Promise.resolve()
      .then(this.#ask)
      .catch((error) => {
        onError(error)
        return undefined
      })
      .finally(() => {
        // Not if this query was given up and another one started.
        if (this.#pendingSince === since) this.#pendingSince = undefined
      })
    const { promise: timeout, resolve } = Promise.withResolvers<undefined>()
    const cancel = clock.after(timeoutMillis, () => resolve(undefined))
    return Promise.race([answer, timeout]).finally(cancel)
  }

  #isPending(now: number): boolean {
    return this.#pendingSince !== undefined && now - this.#pendingSince < this.#options.timeoutMillis * MAX_TIMEOUTS
  }
}
