import type { Clock } from '../clock.ts'
import { Alarm, type Pool } from '../pool/index.ts'

export interface CheckInUseOptions {
  readonly engine: Pick<Pool<never>, 'demand'>
  readonly clock: Clock
  readonly intervalMillis: number
  readonly check: () => Promise<void>
}

/** Repeats a check while a pool has callers. It costs a caller one comparison, and an unused pool nothing. */
export class CheckInUse {
  readonly #options: CheckInUseOptions
  readonly #alarm: Alarm
  #isWatching = false

  constructor(options: CheckInUseOptions) {
    this.#options = options
    this.#alarm = new Alarm(options.clock, () => void this.#run(), { background: true })
  }

  /** Call it whenever a caller acquires a connection. */
  watch(): void {
    if (this.#isWatching) return
    this.#isWatching = true
    this.#schedule()
  }

  stop(): void {
    this.#alarm.stop()
    this.#isWatching = false
  }

  async #run(): Promise<void> {
    const { engine, check } = this.#options
    if (engine.demand === 0) {
      this.#isWatching = false
      return
    }
    await check()
    if (this.#isWatching) this.#schedule()
  }

  #schedule(): void {
    const { clock, intervalMillis } = this.#options
    this.#alarm.at(clock.now() + intervalMillis)
  }
}
