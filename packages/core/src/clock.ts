const timers: typeof import('node:timers') = process.getBuiltinModule('node:timers')

/** The time source of the engine and the fleet, so that their tests never wait. All times are in milliseconds. */
export interface Clock {
  /** Monotonic time; only differences are meaningful. */
  now(): number
  /** Calls back once after `millis`, and returns a function that cancels it. A `background` timer does not keep the process alive. */
  after(millis: number, callback: () => void, options?: { readonly background?: boolean }): () => void
  /**
   * How long the event loop has been blocked in total, measured by timers that fired late. Only differences are meaningful.
   */
  readonly blockedMillis: number
}

// Fake timers of a test replace the global functions and those of `node:timers`. The network does not follow a test's time, so
// this module keeps the real functions, once, when it is loaded.
const setTimeout = original('setTimeout')
const clearTimeout = original('clearTimeout')
/** Node's real `setImmediate`, even if a test fakes it. */
export const setImmediate: typeof timers.setImmediate = original('setImmediate')
const setInterval = original('setInterval')
const clearInterval = original('clearInterval')
const clearImmediate = original('clearImmediate')
const { performance } = process.getBuiltinModule('node:perf_hooks')
// Fake timers replace the method on the object; Node's own is on its prototype, Bun's on the object.
const readTime: () => number = (Object.getPrototypeOf(performance).now ?? performance.now).bind(performance)

/** For a longer delay Node calls back after 1 ms. These 24.8 days count as never for a pool. */
export const MAX_TIMER_MILLIS: number = 2 ** 31 - 1

/** A timer that fires this much too late shows that the event loop was blocked. */
const LATE_MILLIS = 20

/**
 * If the event loop was blocked, a deadline is extended by the same time, but by no more than this: answers that have
 * arrived meanwhile are read first, and an exchange of several messages, such as a login, can finish.
 */
const MAX_GRACE_MILLIS = 250

/** Limits how often an event loop that is blocked again and again can extend one deadline. */
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

/** One callback. If the timer fires late, socket input is processed first. */
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
    const timer = setTimeout(() => this.#fire(millis), millis)
    if (this.#background) timer.unref()
    return timer
  }

  #fire(limit: number): void {
    const now = readTime()
    const lateMillis = now - this.#due
    if (lateMillis < LATE_MILLIS || this.#graces++ === MAX_GRACES) {
      this.#callback()
      return
    }
    // Timers that fire in the same turn were delayed by the same blocking, which counts once.
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

/** Calls back every `millis` milliseconds, also late, until the returned function is called. Does not keep the process alive. */
export function repeat(millis: number, callback: () => void): () => void {
  const timer = setInterval(callback, millis)
  timer.unref()
  return () => clearInterval(timer)
}

/** Resolves after `millis`. A `background` pause does not keep the process alive. */
export function pause(millis: number, options?: { readonly background?: boolean }): Promise<void> {
  return new Promise((resolve) => {
    systemClock.after(millis, resolve, options)
  })
}

/**
 * Waits for a promise for at most `millis` milliseconds.
 *
 * @param late creates the error that is thrown on timeout. A later answer is ignored.
 * @param options the clock, and whether the timer keeps the process alive, as it does by default.
 */
export async function withTimeout<T>(
  answer: Promise<T>,
  millis: number,
  late: () => Error,
  { clock = systemClock, background = false }: { readonly clock?: Clock; readonly background?: boolean } = {},
): Promise<T> {
  const { promise: over, reject } = Promise.withResolvers<never>()
  const cancel = clock.after(millis, () => reject(late()), { background })
  try {
    return await Promise.race([answer, over])
  } finally {
    cancel()
  }
}

/** Keeps the process alive until the promise has settled, even if no socket or timer does. */
export async function keepAlive<T>(promise: Promise<T>): Promise<T> {
  const cancel = systemClock.after(MAX_TIMER_MILLIS, () => {})
  try {
    return await promise
  } finally {
    cancel()
  }
}

/** Like `AbortSignal.timeout(millis)`, but with the real clock. It does not keep the process alive. */
export function abortAfter(millis: number): AbortSignal {
  const controller = new AbortController()
  const abort = () => controller.abort(new DOMException('The operation was aborted due to timeout', 'TimeoutError'))
  systemClock.after(millis, abort, { background: true })
  return controller.signal
}

type TimerName = 'setTimeout' | 'clearTimeout' | 'setInterval' | 'clearInterval' | 'setImmediate' | 'clearImmediate'

/** If fake timers are installed already, @sinonjs/fake-timers (and so Sinon, Jest and Vitest) keeps the real function on its clock. */
function original<Name extends TimerName>(name: Name): (typeof timers)[Name] {
  const current = timers[name] as (typeof timers)[Name] & { readonly clock?: Readonly<Record<string, unknown>> }
  return (current.clock?.[`_${name}`] as (typeof timers)[Name] | undefined) ?? current
}
