/** What a pool does with waiting callers while more work arrives than its connections can do. */
export type OverloadPolicy = 'wait' | 'shed'

/**
 * While the queue is not empty for this long, the pool counts as overloaded. The value, the short timeout below and serving the newest
 * caller first are Facebook's (Maurer, "Fail at Scale", https://queue.acm.org/detail.cfm?id=2839461). Both grow with the service time,
 * so that a burst of slow queries is not an overload.
 */
const MIN_INTERVAL_MILLIS = 100
const INTERVAL_IN_SERVICE_TIMES = 2

/** How long a caller that arrives during an overload may wait. */
const MIN_PATIENCE_MILLIS = 10
const PATIENCE_IN_SERVICE_TIMES = 4

/** A connection is of no use to a caller with less time left than this: half of all checkouts take longer than the usual one. */
const MARGIN_IN_SERVICE_TIMES = 2

/** The usual service time is the mean of about this many checkouts. */
const SERVICE_SAMPLES = 100
/** One checkout counts as at most this many times the usual one, so that a leaked connection does not change the mean much. */
const MAX_SAMPLE = 4
/** The first checkouts count in full: there is no usual duration yet. */
const FULL_SAMPLES = 10

const MIN_RETRY_AFTER_MILLIS = 1_000
const MAX_RETRY_AFTER_MILLIS = 10_000

export interface OverloadControlOptions {
  /** True if the pool cannot get more connections than it has, and has some. */
  readonly isAtLimit: () => boolean
  /** The number of open connections. */
  readonly connections: () => number
  /** A number between 0 and 1, like Math.random. */
  readonly random: () => number
}

/**
 * Measures whether a pool is overloaded, and how long callers may wait then. All times are in milliseconds of a clock that does not run
 * while the event loop is blocked: a process that was busy with itself has not overloaded the database.
 */
export class OverloadControl {
  readonly #options: OverloadControlOptions
  #serviceMillis = 0
  #samples = 0
  /** When the queue was empty last, or connections were added last. */
  #queuedSince = Infinity
  /** When a caller was rejected last. */
  #shedAt = -Infinity

  constructor(options: OverloadControlOptions) {
    this.#options = options
  }

  /** The usual duration of a checkout. */
  get serviceMillis(): number {
    return this.#serviceMillis
  }

  /** A checkout has ended. */
  onServed(usedMillis: number): void {
    const counted = this.#samples < FULL_SAMPLES ? usedMillis : Math.min(usedMillis, this.#serviceMillis * MAX_SAMPLE)
    if (this.#samples < SERVICE_SAMPLES) this.#samples++
    this.#serviceMillis += (counted - this.#serviceMillis) / this.#samples
  }

  /**
   * The first caller has joined the queue. If callers were rejected a moment ago, the overload goes on: rejections had emptied the queue,
   * not the connections.
   */
  begin(time: number): void {
    const { intervalMillis } = this
    // Just longer than the interval ago, so that the overload is not over for a moment.
    this.#queuedSince = time - this.#shedAt < intervalMillis ? time - intervalMillis - 1 : time
  }

  /** A connection was added: the queue may empty now. */
  restart(time: number): void {
    this.#queuedSince = time
    this.#shedAt = -Infinity
  }

  /** A caller was rejected. */
  onShed(time: number): void {
    this.#shedAt = time
  }

  /** The queue is empty. */
  stop(): void {
    this.#queuedSince = Infinity
  }

  /** How long the overload has lasted; undefined if the pool is not overloaded. */
  overloadedMillis(time: number): number | undefined {
    // Without a finished checkout it is unknown how long one takes.
    if (this.#queuedSince === Infinity || this.#samples === 0) return undefined
    // While connections are being opened, callers wait for these, however long the queue is.
    if (!this.#options.isAtLimit()) this.restart(time)
    const millis = time - this.#queuedSince - this.intervalMillis
    return millis > 0 ? millis : undefined
  }

  isOverloaded(time: number): boolean {
    return this.overloadedMillis(time) !== undefined
  }

  /** How long a caller may wait that arrived without an overload, once the pool is overloaded. */
  get intervalMillis(): number {
    return Math.max(MIN_INTERVAL_MILLIS, this.#serviceMillis * INTERVAL_IN_SERVICE_TIMES, this.patienceMillis)
  }

  /** How long a caller may wait that arrives during an overload. */
  get patienceMillis(): number {
    const connections = Math.max(1, this.#options.connections())
    return Math.max(MIN_PATIENCE_MILLIS, (this.#serviceMillis * PATIENCE_IN_SERVICE_TIMES) / connections)
  }

  /** A caller with less time left than this cannot use a connection in time. */
  get marginMillis(): number {
    return this.#serviceMillis * MARGIN_IN_SERVICE_TIMES
  }

  /**
   * When a rejected caller should try again: after as long as the overload has lasted, within bounds, plus a random part of the same
   * length, so that callers that were rejected together do not return together.
   */
  retryAfterMillis(time: number): number {
    const lasted = this.overloadedMillis(time) ?? 0
    const pause = Math.min(MAX_RETRY_AFTER_MILLIS, Math.max(MIN_RETRY_AFTER_MILLIS, lasted))
    return Math.round(pause * (1 + this.#options.random()))
  }
}
