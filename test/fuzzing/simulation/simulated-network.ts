import type { Clock } from '../../../packages/core/src/clock.ts'

/** Whether a server accepts connections: `silent` neither accepts nor answers, as behind a firewall that drops packets. */
export type Availability = 'up' | 'refusing' | 'full' | 'silent'

export const REFUSED: Error = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
export const FULL: Error = Object.assign(new Error('sorry, too many clients already'), { code: '53300' })
export const TERMINATED: Error = Object.assign(new Error('terminating connection due to administrator command'), {
  code: '57P01',
})

/** Whether answers are the server's own, or made up by a hostile server or by a pooler in between. */
export type Answers = 'true' | 'made up'

/** How often lost packets are sent again. */
const SILENCE_MILLIS = 20

/** The way to a simulated server. */
export class SimulatedNetwork {
  availability: Availability = 'up'
  answers: Answers = 'true'
  /** The most that one way takes. */
  tripMillis = 2
  readonly #clock: Clock
  readonly #random: () => number

  constructor(clock: Clock, random: () => number) {
    this.#clock = clock
    this.#random = random
  }

  /** One way. Nothing arrives while the network is silent. */
  async trip(): Promise<void> {
    await this.#pause(this.tripMillis * (0.5 + this.#random() / 2))
    while (this.availability === 'silent') await this.#pause(SILENCE_MILLIS)
  }

  /** All faults are over. */
  heal(): void {
    this.availability = 'up'
    this.answers = 'true'
    this.tripMillis = 2
  }

  #pause(millis: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(millis, resolve))
  }
}
