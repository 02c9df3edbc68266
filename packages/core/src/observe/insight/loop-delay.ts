import { repeat } from '../../clock.ts'

/** How often the event loop is checked while connections are in use. */
const INTERVAL_MILLIS = 10
/** Timers fire a little late on an idle machine, too. */
const TOLERANCE_MILLIS = 3
/** The checks stop after this many in a row without a lease that ran a statement. */
const IDLE_CHECKS = 500

/**
 * How long the event loop could not run what was due: a timer that fires late shows that this process was busy, or got no CPU. The
 * timer runs only while leases run statements, and for five seconds after.
 */
export class LoopDelay {
  readonly #repeat: typeof repeat
  readonly #now: () => number
  #stop: (() => void) | undefined
  #dueAt = Infinity
  #sumMillis = 0
  /** When the last delay was measured, and the sum before. */
  #lateAt = Number.NEGATIVE_INFINITY
  #sumBefore = 0
  #idleChecks = 0

  constructor(now: () => number, repeatEvery: typeof repeat = repeat) {
    this.#now = now
    this.#repeat = repeatEvery
  }

  /** A lease runs a statement. */
  keepRunning(): void {
    this.#idleChecks = 0
    if (this.#stop) return
    this.#dueAt = this.#now() + INTERVAL_MILLIS
    this.#stop = this.#repeat(INTERVAL_MILLIS, () => this.#check())
  }

  /** The delay so far, in milliseconds, including the delay that no timer has measured yet. Only differences are meaningful. */
  read(now: number): number {
    const lateMillis = now - this.#dueAt
    return lateMillis > TOLERANCE_MILLIS ? this.#sumMillis + lateMillis : this.#sumMillis
  }

  /** What {@link read} returned at an earlier time, as far as it is known: before the last delay, or now. */
  readAt(time: number): number {
    return time < this.#lateAt ? this.#sumBefore : this.#sumMillis
  }

  #check(): void {
    const now = this.#now()
    const sumMillis = this.read(now)
    if (sumMillis > this.#sumMillis) {
      this.#sumBefore = this.#sumMillis
      this.#lateAt = now
      this.#sumMillis = sumMillis
    }
    this.#dueAt = now + INTERVAL_MILLIS
    if (++this.#idleChecks < IDLE_CHECKS) return
    this.#stop?.()
    this.#stop = undefined
    this.#dueAt = Infinity
  }
}
