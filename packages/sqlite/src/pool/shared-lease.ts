import { AsyncLocalStorage } from 'node:async_hooks'
import { type Lease, systemClock } from '@poolguard/core/adapter'
import type { Asked, SqliteConnection } from '../connection/sqlite-connection.ts'

/** Statements that go over in one message. */
export interface Turn {
  readonly since: number
  readonly asked: Asked[]
  /** How long it takes, as far as is known from the last time. */
  millis: number
}

/** A reader that is at work for no longer than this is waited for: that takes less than to wake another thread. */
const MAX_QUEUED_MILLIS = 0.5
/** A message that takes longer than this is not what it was taken for, and nothing is sent after it. */
const OVERDUE_MILLIS = 1
/** After so long even those go elsewhere that were sent after it. */
const STUCK_MILLIS = 5
/** The longest that one is kept: then it is given back, as the pool may have plans for its connection. */
const MAX_MILLIS = 50

/** A lease that turns share, one message after the other, so that the thread finds the next one there and need not be woken. */
export class SharedLease {
  /** Of those who share it: whose waits are told apart borrow apart. */
  readonly label: string | undefined
  /** Calls something as the one who has borrowed it: with his label, and in his scope. */
  readonly asBorrower: <T>(callback: () => T) => T = AsyncLocalStorage.snapshot()
  readonly #lease: Lease<SqliteConnection>
  readonly #since = systemClock.now()
  /** Those not answered yet, in the order of their answers. */
  #turns: Turn[] = []
  #queuedMillis = 0
  /** Since when the first one has had the connection for itself. */
  #firstSince = 0
  #stuck = false

  constructor(lease: Lease<SqliteConnection>, label: string | undefined) {
    this.label = label
    this.#lease = lease
  }

  /** Whether a turn is answered soon if it joins. */
  hasRoomFor(turn: Turn, now: number): boolean {
    return (
      !this.#stuck &&
      this.#lease.active &&
      now - this.#since < MAX_MILLIS &&
      now - this.#firstSince < OVERDUE_MILLIS &&
      this.#queuedMillis + turn.millis <= MAX_QUEUED_MILLIS
    )
  }

  /** @param done is called when it is given back, with the last answer. */
  send(turn: Turn, done: () => void): void {
    if (this.#turns.length === 0) this.#firstSince = systemClock.now()
    this.#turns.push(turn)
    this.#queuedMillis += turn.millis
    this.#lease.resource.askAll(turn.asked, () => this.#answered(turn, done))
  }

  /** Whether statements wait for others, which may take longer than they should. */
  get queues(): boolean {
    const [first] = this.#turns
    return first !== undefined && this.#turns.length + first.asked.length > 2 && !this.#stuck
  }

  /** The turns that wait for a statement which takes too long, told once. They can be asked elsewhere, as they are reads. */
  takeStuck(now: number): Turn[] {
    const [first, ...others] = this.#turns
    if (!first || !this.queues || now - this.#firstSince < STUCK_MILLIS) return []
    const slow = first.asked[this.#lease.resource.progress]
    // It is done with, and the answers are on their way.
    if (!slow) return []
    this.#stuck = true
    const beside = first.asked.filter((asked) => asked !== slow)
    if (beside.length > 0) others.unshift({ ...first, asked: beside })
    return others
  }

  #answered(turn: Turn, done: () => void): void {
    this.#turns.shift()
    this.#queuedMillis -= turn.millis
    this.#firstSince = systemClock.now()
    if (this.#turns.length > 0) return
    done()
    this.#lease.release()
  }
}
