import type { Clock } from '../../clock.ts'

interface Timer {
  readonly due: number
  readonly order: number
  readonly callback: () => void
  cancelled: boolean
}

/** More than the length of the longest chain of promises between two timers. */
const LINKS = 30

/** A clock for thousands of instances: jumps from timer to timer, in a deterministic order. */
export class SimulatedClock implements Clock {
  readonly blockedMillis = 0
  #now = 0
  #order = 0
  /** A binary heap by due time. */
  readonly #timers: Timer[] = []

  now(): number {
    return this.#now
  }

  after(millis: number, callback: () => void): () => void {
    const timer = { due: this.#now + Math.max(0, millis), order: this.#order++, callback, cancelled: false }
    this.#push(timer)
    return () => {
      timer.cancelled = true
    }
  }

  sleep(millis: number): Promise<void> {
    return new Promise((resolve) => this.after(millis, resolve))
  }

  /** Advances the time; calls `check` after each timer. */
  async advance(millis: number, check: () => void = () => {}): Promise<void> {
    const until = this.#now + millis
    await runMicrotasks()
    for (let timer = this.#timers[0]; timer && timer.due <= until; timer = this.#timers[0]) {
      this.#pop()
      if (timer.cancelled) continue
      this.#now = timer.due
      timer.callback()
      await runMicrotasks()
      check()
    }
    this.#now = until
  }

  #push(timer: Timer): void {
    const heap = this.#timers
    let at = heap.push(timer) - 1
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isEarlier(timer, heap[parent] as Timer)) break
      heap[at] = heap[parent] as Timer
      at = parent
    }
    heap[at] = timer
  }

  #pop(): void {
    const heap = this.#timers
    const last = heap.pop() as Timer
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isEarlier(heap[child + 1] as Timer, heap[child] as Timer)) child++
      if (!isEarlier(heap[child] as Timer, last)) break
      heap[at] = heap[child] as Timer
      at = child
    }
    heap[at] = last
  }
}

function isEarlier(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order)
}

async function runMicrotasks(): Promise<void> {
  for (let i = 0; i < LINKS; i++) await undefined
}

/** A deterministic random generator (mulberry32, public domain). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
