import type { Clock } from '../clock.ts'

/**
 * One timer shared by many deadlines: it rings at the earliest time it was asked for. Whoever hears it looks at what is
 * due and asks again. So a pool has a handful of timers, however many wait in it.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #ring: () => void
  readonly #background: boolean
  #due = Infinity
  #cancel: (() => void) | undefined

  constructor(clock: Clock, ring: () => void, options: { readonly background: boolean }) {
    this.#clock = clock
    this.#ring = ring
    this.#background = options.background
  }

  /** Rings at `time` at the latest; an earlier request stands. Never is `Infinity`. */
  at(time: number): void {
    if (time >= this.#due) return
    this.#cancel?.()
    this.#due = time
    this.#cancel = this.#clock.after(Math.max(0, Math.ceil(time - this.#clock.now())), () => this.#fire(), {
      background: this.#background,
    })
  }

  stop(): void {
    this.#cancel?.()
    this.#cancel = undefined
    this.#due = Infinity
  }

  #fire(): void {
    this.stop()
    this.#ring()
  }
}
