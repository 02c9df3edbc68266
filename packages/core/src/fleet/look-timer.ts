import type { Clock } from '../clock.ts'

/** Looks are due once in an interval; whether there is a reason to look earlier is asked so often in one. */
export const PULSES = 4
/** Each pause is shorter by a random part of up to this share, so that the instances of a fleet do not look in step. */
const JITTER = 0.2
/** Looks for a reason keep this distance from the last one, or this part of an interval where that is less. */
const DISTANCE_MILLIS = 100
const DISTANCE = 1 / 20

export interface LookTimerOptions {
  readonly intervalMillis: number
  readonly clock: Clock
  /** Between 0 and 1, as Math.random. */
  readonly random: () => number
  readonly pulse: () => void
  readonly look: () => void
}

/** Says when it is time to think of a look, and when to have one. It keeps no process alive. */
export class LookTimer {
  readonly #options: LookTimerOptions
  #lookedAt = -Infinity
  #cancelPulse: (() => void) | undefined
  #cancelLook: (() => void) | undefined

  constructor(options: LookTimerOptions) {
    this.#options = options
  }

  /** Whether a pulse is due. */
  get watching(): boolean {
    return this.#cancelPulse !== undefined
  }

  /** Rings for the next pulse. */
  watch(): void {
    if (this.#cancelPulse) return
    const { clock, intervalMillis, random, pulse } = this.#options
    const ring = () => {
      this.#cancelPulse = undefined
      pulse()
    }
    const millis = (intervalMillis / PULSES) * (1 - JITTER * random())
    this.#cancelPulse = clock.after(millis, ring, { background: true })
  }

  /** How long a look for a reason has to wait, 0 at least. */
  get distanceMillis(): number {
    const { clock, intervalMillis } = this.#options
    return Math.max(0, this.#lookedAt + Math.min(DISTANCE_MILLIS, intervalMillis * DISTANCE) - clock.now())
  }

  /** Rings for a look when the distance to the last one is kept. */
  soon(): void {
    if (this.#cancelLook) return
    const ring = () => {
      this.#cancelLook = undefined
      this.#options.look()
    }
    this.#cancelLook = this.#options.clock.after(this.distanceMillis, ring, { background: true })
  }

  /** A look begins: it is nobody's reason any more. */
  looks(): void {
    this.rest()
    this.#lookedAt = this.#options.clock.now()
  }

  rest(): void {
    this.#cancelPulse?.()
    this.#cancelPulse = undefined
    this.#cancelLook?.()
    this.#cancelLook = undefined
  }
}
