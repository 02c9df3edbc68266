import type { Clock } from '../clock.ts'

/**
 * One timer shared by many deadlines: it fires at the earliest requested time. The callback then handles all deadlines that are
 * due and requests the next time. So a pool has a handful of timers, however many callers wait.
 */
export class Alarm {
  readonly #clock: Clock
  readonly #callback: () => void
  readonly #background: boolean
  #due = Infinity
  #cancel: (() => void) | undefined

  constructor(clock: Clock, callback: () => void, options: { readonly background: boolean }) {
    this.#clock = clock
    this.#callback = callback
    this.#background = options.background
  }

  /** Fires at `time` at the latest; an earlier request stays in effect. `Infinity` means never. */
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
    this.#callback()
  }
}
