import { type Clock, systemClock } from '../../../packages/core/src/clock.ts'

/** A clock that stands still while it is paused, so that its user notices nothing of that time. Holds one timer. */
export class PausableClock implements Clock {
  #skippedMillis = 0
  #pausedAt: number | undefined = systemClock.now()
  #timer: { readonly due: number; readonly callback: () => void; cancel: () => void } | undefined

  now(): number {
    return (this.#pausedAt ?? systemClock.now()) - this.#skippedMillis
  }

  get blockedMillis(): number {
    return systemClock.blockedMillis
  }

  after(millis: number, callback: () => void): () => void {
    this.#timer = { due: this.now() + millis, callback, cancel: () => {} }
    if (this.#pausedAt === undefined) this.#start()
    return () => this.#clear()
  }

  pause(): void {
    this.#pausedAt = systemClock.now()
    this.#timer?.cancel()
  }

  resume(): void {
    this.#skippedMillis += systemClock.now() - (this.#pausedAt ?? systemClock.now())
    this.#pausedAt = undefined
    this.#start()
  }

  #start(): void {
    const timer = this.#timer
    if (!timer) return
    timer.cancel = systemClock.after(timer.due - this.now(), () => {
      this.#timer = undefined
      timer.callback()
    })
  }

  #clear(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
