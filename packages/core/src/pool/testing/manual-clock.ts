import type { Clock } from '../../clock.ts'

interface Timer {
  readonly due: number
  readonly background: boolean
  readonly callback: () => void
}

/** A clock that only a test advances. */
export class ManualClock implements Clock {
  /** Set by a test that simulates a blocked event loop. */
  blockedMillis = 0
  #now = 0
  readonly #timers = new Set<Timer>()

  now(): number {
    return this.#now
  }

  after(millis: number, callback: () => void, options?: { readonly background?: boolean }): () => void {
    const timer = { due: this.#now + Math.max(0, millis), background: options?.background ?? false, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Timers that would keep a process alive. */
  get foregroundTimers(): number {
    return [...this.#timers].filter(({ background }) => !background).length
  }

  get timers(): number {
    return this.#timers.size
  }

  /** Advances the time and fires due timers in order; promises settle before, between and after them. */
  async advance(millis: number): Promise<void> {
    const until = this.#now + millis
    await settled()
    for (let timer = this.#next(until); timer; timer = this.#next(until)) {
      this.#timers.delete(timer)
      this.#now = Math.max(this.#now, timer.due)
      timer.callback()
      await settled()
    }
    this.#now = until
  }

  /** Advances the time as a blocked event loop does: no timer fires meanwhile. */
  skip(millis: number): void {
    this.#now += millis
  }

  #next(until: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of this.#timers) {
      if (timer.due <= until && timer.due < (next?.due ?? Infinity)) next = timer
    }
    return next
  }
}

/** Resolves when every promise that can settle without timers has settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
