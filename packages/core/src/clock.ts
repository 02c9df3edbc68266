/** Where the engine and the fleet take time from, so that their tests never wait. All times are in milliseconds. */
export interface Clock {
  /** Monotonic time; only differences mean anything. */
  now(): number
  /** Calls back once after `millis`, and returns what takes that back. A `background` timer keeps no process alive. */
  after(millis: number, callback: () => void, options?: { readonly background?: boolean }): () => void
}

/** Node's timers ring at once for anything longer: 24.8 days, which is as good as never for what a pool waits for. */
const LONGEST_TIMER_MILLIS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => performance.now(),
  after(millis, callback, options) {
    const timer = setTimeout(callback, Math.min(millis, LONGEST_TIMER_MILLIS))
    if (options?.background) timer.unref()
    return () => clearTimeout(timer)
  },
}
