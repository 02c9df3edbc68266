import type { Clock } from '../clock.ts'
import { Alarm } from '../pool/index.ts'
import type { QueuedStatement, StatementQueue } from './statement-queue.ts'

/** A head that runs for this long while other statements wait behind it counts as stalled. */
const STALL_MILLIS = 1_000

/** A head that takes far longer than expected, with other statements behind it. */
export interface Stall {
  /** The text of the statement that the server is working on. */
  readonly statement: string
  /** The text of the statement directly behind it. */
  readonly behind: string
  /** How long the head has been running. */
  readonly runningMillis: number
  /** Statements in flight on the connection, the head included. */
  readonly depth: number
}

/** Watches shared connections for stalled heads with one timer. Each head is reported once. */
export class StallWatch<S extends QueuedStatement> {
  readonly #clock: Clock
  readonly #queues: () => Iterable<StatementQueue<S>>
  readonly #onStall: (stall: Stall) => void
  readonly #alarm: Alarm
  readonly #reported = new WeakSet<S>()

  constructor(clock: Clock, queues: () => Iterable<StatementQueue<S>>, onStall: (stall: Stall) => void) {
    this.#clock = clock
    this.#queues = queues
    this.#onStall = onStall
    this.#alarm = new Alarm(clock, () => this.#check(), { background: true })
  }

  /** A statement was sent behind another one. */
  onShared(now: number): void {
    this.#alarm.at(now + STALL_MILLIS)
  }

  #check(): void {
    const now = this.#clock.now()
    let next = Infinity
    for (const queue of this.#queues()) {
      const { head, second } = queue
      if (!head || !second || this.#reported.has(head)) continue
      const runningMillis = queue.headMillis(now)
      if (runningMillis < STALL_MILLIS) {
        next = Math.min(next, now + STALL_MILLIS - runningMillis)
        continue
      }
      this.#reported.add(head)
      const { depth } = queue
      this.#onStall({ statement: head.profile.text, behind: second.profile.text, runningMillis, depth })
    }
    this.#alarm.at(next)
  }
}
