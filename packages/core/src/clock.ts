import perfHooks from 'node:perf_hooks'
import timers from 'node:timers'

/** Where the engine and the fleet take time from, so that their tests never wait. All times are in milliseconds. */
export interface Clock {
  /** Monotonic time; only differences mean anything. */
  now(): number
  /** Calls back once after `millis`, and returns what takes that back. A `background` timer keeps no process alive. */
  after(millis: number, callback: () => void, options?: { readonly background?: boolean }): () => void
  /**
   * How long the event loop has been blocked in total, as far as timers that rang late have shown it. Only differences mean
   * anything.
   */
  readonly blockedMillis: number
}

// Fake timers of a test replace the global functions and those of `node:timers`. The network does not follow a test's time, so
// the real functions are taken here, once, when the module is loaded.
const setTimeout = original('setTimeout')
const clearTimeout = original('clearTimeout')
/** As Node's `setImmediate`, also while a test fakes that. */
export const setImmediate: typeof timers.setImmediate = original('setImmediate')
const clearImmediate = original('clearImmediate')
const readTime: () => number = Object.getPrototypeOf(perfHooks.performance).now.bind(perfHooks.performance)

/** Node calls back after 1 ms for anything longer; 24.8 days are as good as never for a pool. */
export const MAX_TIMER_MILLIS: number = 2 ** 31 - 1

/** A timer that rings this much too late shows that the event loop was blocked. */
const LATE_MILLIS = 20

/**
 * After the event loop was blocked, a deadline waits as long as that again, but no longer than this: the answers that have
 * arrived meanwhile are read first, and an exchange of several messages, such as a login, can finish.
 */
const MAX_GRACE_MILLIS = 250

/** An event loop that is blocked again and again does not put a deadline off for ever. */
const MAX_GRACES = 3

let blockedMillis = 0
let blockedUntil = 0

export const systemClock: Clock = {
  now: readTime,
  after(millis, callback, { background = false } = {}) {
    return new Countdown(millis, callback, background).cancel
  },
  get blockedMillis() {
    return blockedMillis
  },
}

/** One call back. Where the timer rings late, socket input is processed before it. */
class Countdown {
  readonly #callback: () => void
  readonly #background: boolean
  #due: number
  #timer: NodeJS.Timeout
  #immediate: NodeJS.Immediate | undefined
  #graces = 0

  constructor(millis: number, callback: () => void, background: boolean) {
    const limit = Math.min(millis, MAX_TIMER_MILLIS)
    this.#callback = callback
    this.#background = background
    this.#due = readTime() + limit
    this.#timer = this.#start(limit)
  }

  readonly cancel = (): void => {
    clearTimeout(this.#timer)
    if (this.#immediate) clearImmediate(this.#immediate)
  }

  #start(millis: number): NodeJS.Timeout {
    const timer = setTimeout(() => this.#ring(millis), millis)
    if (this.#background) timer.unref()
    return timer
  }

  #ring(limit: number): void {
    const now = readTime()
    const lateMillis = now - this.#due
    if (lateMillis < LATE_MILLIS || this.#graces++ === MAX_GRACES) {
      this.#callback()
      return
    }
    // Timers that ring in the same turn were delayed by the same thing.
    blockedMillis += now - Math.max(this.#due, blockedUntil)
    blockedUntil = now
    const graceMillis = Math.min(lateMillis, limit, MAX_GRACE_MILLIS)
    // Sockets are read between timers and immediates.
    this.#immediate = setImmediate(() => {
      this.#immediate = undefined
      this.#due = readTime() + graceMillis
      this.#timer = this.#start(graceMillis)
    })
    if (this.#background) this.#immediate.unref()
  }
}

/** Resolves after `millis`. A `background` pause keeps no process alive. */
export function pause(millis: number, options?: { readonly background?: boolean }): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(millis, resolve, options)
  })
}

/**
 * The answer, if it comes within so many milliseconds.
 *
 * @param late makes the error that is thrown otherwise. An answer that comes later is ignored.
 */
export async function withTimeout<T>(answer: Promise<T>, millis: number, late: () => Error): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>()
  const cancel = systemClock.after(millis, () => reject(late()))
  try {
    return await Promise.race([answer, over])
  } finally {
    cancel()
  }
}

/** Keeps the process alive until the promise has settled, also while no socket or timer does. */
export async function keepAlive<T>(promise: Promise<T>): Promise<T> {
  const cancel = systemClock.after(MAX_TIMER_MILLIS, () => {})
  try {
    return await promise
  } finally {
    cancel()
  }
}

/** Aborted after `millis`, as by `AbortSignal.timeout`. It keeps no process alive. */
export function abortAfter(millis: number): AbortSignal {
  const controller = new AbortController()
  const abort = () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
  systemClock.after(millis, abort, { background: true })
  return controller.signal
}

type TimerName = 'setTimeout' | 'clearTimeout' | 'setImmediate' | 'clearImmediate'

/** Where fake timers are installed already, @sinonjs/fake-timers (and so Sinon, Jest and Vitest) keeps the real function on its clock. */
function original<Name extends TimerName>(name: Name): (typeof timers)[Name] {
  const current = timers[name] as (typeof timers)[Name] & { readonly clock?: Readonly<Record<string, unknown>> }
  return (current.clock?.[`_${name}`] as (typeof timers)[Name] | undefined) ?? current
}
