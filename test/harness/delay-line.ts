/** Delivers in order, each as much later as the latency was when it was added. */
export class DelayLine {
  readonly #latencyMillis: () => number
  readonly #waiting: { readonly arrival: number; readonly deliver: () => void }[] = []

  constructor(latencyMillis: () => number) {
    this.#latencyMillis = latencyMillis
  }

  /** Whatever the latency was switched to meanwhile, and however late the event loop is, nothing overtakes what was added before. */
  add(deliver: () => void): void {
    const latency = this.#latencyMillis()
    if (latency === 0 && this.#waiting.length === 0) {
      deliver()
      return
    }
    this.#waiting.push({ arrival: performance.now() + latency, deliver })
    if (this.#waiting.length === 1) this.#wait()
  }

  #wait(): void {
    const [next] = this.#waiting
    if (next) setTimeout(() => this.#deliver(), Math.max(0, next.arrival - performance.now()))
  }

  #deliver(): void {
    const now = performance.now()
    do {
      // The first is due, although timers fire up to a millisecond early.
      this.#waiting[0]?.deliver()
      this.#waiting.shift()
    } while (this.#waiting[0] && this.#waiting[0].arrival <= now)
    this.#wait()
  }
}
