import { AsyncLocalStorage } from 'node:async_hooks'
import { type Lease, systemClock } from '@poolguard/core/adapter'
import type { Asked, SqliteConnection } from '../connection/sqlite-connection.ts'

/** Statements that are sent in one message. */
export interface Turn {
  readonly since: number
  readonly asked: Asked[]
  /** The expected duration, from earlier runs of the statements. */
  millis: number
}

/** Statements queue behind a busy reader up to this duration: that is faster than waking another thread. */
const MAX_QUEUED_MILLIS = 0.5
/** If a message takes longer than this, its estimate was wrong, and no more messages are sent after it. */
const OVERDUE_MILLIS = 1
/** After this long, messages already sent behind it are repeated on another connection. */
const STUCK_MILLIS = 5
/** A shared lease is released after this long, so that the pool can close or reset its connection. */
const MAX_MILLIS = 50

/** A lease shared by several turns, so that the thread finds its next message queued and need not be woken. */
export class SharedLease {
  /** The label of the callers that share the lease: only callers with the same label share one. */
  readonly label: string | undefined
  /** Calls a function in the async context of the caller that acquired the lease, with its label. */
  readonly asBorrower: <T>(callback: () => T) => T = AsyncLocalStorage.snapshot()
  readonly #lease: Lease<SqliteConnection>
  readonly #since = systemClock.now()
  /** The unanswered turns, in the order of their answers. */
  #turns: Turn[] = []
  #queuedMillis = 0
  /** When the first turn became the running one. */
  #firstSince = 0
  #stuck = false

  constructor(lease: Lease<SqliteConnection>, label: string | undefined) {
    this.label = label
    this.#lease = lease
  }

  /** Whether a turn that joins now is answered soon. */
  hasRoomFor(turn: Turn, now: number): boolean {
    return (
      !this.#stuck &&
      this.#lease.active &&
      now - this.#since < MAX_MILLIS &&
      now - this.#firstSince < OVERDUE_MILLIS &&
      this.#queuedMillis + turn.millis <= MAX_QUEUED_MILLIS
    )
  }

  /** @param done is called with the last answer, just before the lease is released. */
  send(turn: Turn, done: () => void): void {
    if (this.#turns.length === 0) this.#firstSince = systemClock.now()
    this.#turns.push(turn)
    this.#queuedMillis += turn.millis
    this.#lease.resource.askAll(turn.asked, () => this.#answered(turn, done))
  }

  /** Whether statements wait behind others, which may take longer than expected. */
  get queues(): boolean {
    const [first] = this.#turns
    return first !== undefined && this.#turns.length + first.asked.length > 2 && !this.#stuck
  }

  /** Returns, once, the turns that wait behind a slow statement. They are reads, so another connection can repeat them. */
  takeStuck(now: number): Turn[] {
    const [first, ...others] = this.#turns
    if (!first || !this.queues || now - this.#firstSince < STUCK_MILLIS) return []
    const slow = first.asked[this.#lease.resource.progress]
    // The thread has finished this message; the answers are on their way.
    if (!slow) return []
    this.#stuck = true
    const remaining = first.asked.filter((asked) => asked !== slow)
    if (remaining.length > 0) others.unshift({ ...first, asked: remaining })
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
