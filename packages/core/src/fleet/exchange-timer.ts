import type { Clock } from '../clock.ts'

/** Exchanges are due once per interval; this often per interval, the controller checks for a reason to exchange earlier. */
export const CHECKS_PER_INTERVAL = 4
/** Each pause is shortened by a random part of up to this share, so that instances do not exchange in step. */
const JITTER = 0.2
/** Minimum time between exchanges, or this part of an interval if that is less. */
const MIN_DELAY_MILLIS = 100
const MIN_DELAY_SHARE = 1 / 20

export interface ExchangeTimerOptions {
  readonly intervalMillis: number
  readonly clock: Clock
  /** Returns a number between 0 and 1, like Math.random. */
  readonly random: () => number
  readonly check: () => void
  readonly exchange: () => void
}

/** Timers for the checks and exchanges of a fleet. They do not keep the process alive. */
export class ExchangeTimer {
  readonly #options: ExchangeTimerOptions
  #exchangedAt = -Infinity
  #cancelCheck: (() => void) | undefined
  #cancelExchange: (() => void) | undefined

  constructor(options: ExchangeTimerOptions) {
    this.#options = options
  }

  /** Whether a check is scheduled. */
  get isChecking(): boolean {
    return this.#cancelCheck !== undefined
  }

  /** Schedules the next check. */
  scheduleCheck(): void {
    if (this.#cancelCheck) return
    const { clock, intervalMillis, random, check } = this.#options
    const millis = (intervalMillis / CHECKS_PER_INTERVAL) * (1 - JITTER * random())
    const onTimer = () => {
      this.#cancelCheck = undefined
      check()
    }
    this.#cancelCheck = clock.after(millis, onTimer, { background: true })
  }

  /** How long the next exchange must wait, at least 0. */
  get delayMillis(): number {
    const { clock, intervalMillis } = this.#options
    return Math.max(0, this.#exchangedAt + Math.min(MIN_DELAY_MILLIS, intervalMillis * MIN_DELAY_SHARE) - clock.now())
  }

  /** Schedules an exchange as early as the minimum delay allows. */
  scheduleExchange(): void {
    if (this.#cancelExchange) return
    const onTimer = () => {
      this.#cancelExchange = undefined
      this.#options.exchange()
    }
    this.#cancelExchange = this.#options.clock.after(this.delayMillis, onTimer, { background: true })
  }

  /** Call when an exchange starts: it replaces the scheduled ones. */
  onExchangeStarted(): void {
    this.cancel()
    this.#exchangedAt = this.#options.clock.now()
  }

  cancel(): void {
    this.#cancelCheck?.()
    this.#cancelCheck = undefined
    this.#cancelExchange?.()
    this.#cancelExchange = undefined
  }
}
