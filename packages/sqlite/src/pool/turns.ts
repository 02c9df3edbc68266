import { currentLabel, type Lease, PoolClosedError, setImmediate, systemClock } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import type { Done, Question } from '../protocol.ts'
import { SharedLease, type Turn } from './shared-lease.ts'

/** Above this number, another message costs less than waiting for the statements before. */
const MAX_PER_TURN = 24
/** Statements join a turn that waits for its connection up to this age. */
const JOINABLE_MILLIS = 5
/** Only statements faster than this share a message, because the thread answers the whole message together. */
const QUICK_MILLIS = 1
/** How often shared leases are checked for slow statements. */
const CHECK_INTERVAL_MILLIS = 5

/** Provides connections to turns. */
export interface Lending {
  /** @param expectedMillis how long the statements take; undefined if that is unknown. */
  acquire(expectedMillis: number | undefined): Promise<Lease<SqliteConnection>>
  /** Whether leases currently capture the stacks of their callers. */
  readonly capturesStacks: boolean
  /** True for readers: a read can safely run twice. */
  readonly repeatable: boolean
  /** Whether a connection in use can also take the next turn: only for reads, and only if no caller waits for a connection. */
  mayShare(): boolean
}

/**
 * Sends single statements to connections. Quick statements share one message if they arrive together, and one lease if they arrive
 * while others are running: a message to a thread costs more than a quick statement, and waking the thread costs much more. Each
 * other statement is sent alone, so that no quick statement waits for it.
 */
export class Turns {
  readonly #lending: Lending
  /** Turns that wait for their connection and can take more statements, by label: waits are measured per label. */
  readonly #open = new Map<string | undefined, Turn>()
  readonly #shared = new Set<SharedLease>()
  #checking = false

  constructor(lending: Lending) {
    this.#lending = lending
  }

  /** @param millis the statement's last duration, if known. */
  ask(question: Question, millis: number | undefined): Promise<Done> {
    if (this.#lending.capturesStacks) return this.#askTraced(question, millis)
    const { promise, resolve, reject } = Promise.withResolvers<Done>()
    const asked = { question, resolve, reject }
    if (millis === undefined || millis >= QUICK_MILLIS) {
      this.#takeAlone({ since: 0, asked: [asked], millis: 0 }, millis)
      return promise
    }
    const label = currentLabel()
    const now = systemClock.now()
    const open = this.#open.get(label)
    if (open && open.asked.length < MAX_PER_TURN && now - open.since < JOINABLE_MILLIS) {
      open.asked.push(asked)
      open.millis += millis
      return promise
    }
    const turn = { since: now, asked: [asked], millis }
    this.#open.set(label, turn)
    // Send after all callbacks of this turn of the event loop, because each of them may add a statement.
    setImmediate(() => this.#take(turn, label))
    return promise
  }

  /** Resolves when every turn so far has requested a connection. */
  async sent(): Promise<void> {
    // Immediates run in the order in which they were set.
    if (this.#open.size > 0) await new Promise<void>((resolve) => setImmediate(() => resolve()))
  }

  /** Acquires synchronously and for this statement only, so that the lease captures the caller's stack. */
  async #askTraced(question: Question, millis: number | undefined): Promise<Done> {
    const lease = await this.#lending.acquire(millis)
    return await new Promise((resolve, reject) => {
      lease.resource.askAll([{ question, resolve, reject }], () => lease.release())
    })
  }

  #takeAlone(turn: Turn, millis: number | undefined): void {
    this.#lending.acquire(millis).then(
      (lease) => lease.resource.askAll(turn.asked, () => lease.release()),
      (error) => fail(turn, error),
    )
  }

  #take(turn: Turn, label: string | undefined): void {
    const close = () => {
      if (this.#open.get(label) === turn) this.#open.delete(label)
    }
    const shared = this.#findShared(turn, label)
    if (shared) {
      close()
      this.#send(turn, shared)
      return
    }
    this.#lending.acquire(turn.millis).then(
      (lease) => {
        close()
        this.#share(turn, lease, label)
      },
      (error) => {
        close()
        fail(turn, error)
      },
    )
  }

  #findShared(turn: Turn, label: string | undefined): SharedLease | undefined {
    if (this.#shared.size === 0 || !this.#lending.mayShare()) return undefined
    const now = systemClock.now()
    for (const shared of this.#shared) if (shared.label === label && shared.hasRoomFor(turn, now)) return shared
    return undefined
  }

  #share(turn: Turn, lease: Lease<SqliteConnection>, label: string | undefined): void {
    const shared = new SharedLease(lease, label)
    this.#shared.add(shared)
    this.#send(turn, shared)
  }

  #send(turn: Turn, shared: SharedLease): void {
    shared.send(turn, () => this.#shared.delete(shared))
    if (shared.queues) this.#scheduleCheck()
  }

  /** Checks for slow statements while other statements wait behind them. */
  #scheduleCheck(): void {
    if (this.#checking || !this.#lending.repeatable) return
    this.#checking = true
    // setImmediate: process answers that have already arrived first.
    systemClock.after(CHECK_INTERVAL_MILLIS, () => setImmediate(() => this.#freeStuck()))
  }

  #freeStuck(): void {
    this.#checking = false
    const now = systemClock.now()
    for (const shared of this.#shared) for (const turn of shared.takeStuck(now)) this.#repeat(turn, shared)
    if ([...this.#shared].some(({ queues }) => queues)) this.#scheduleCheck()
  }

  /** Repeats a turn on another connection. The first answer wins. */
  #repeat(turn: Turn, stuck: SharedLease): void {
    stuck
      .asBorrower(() => this.#lending.acquire(turn.millis))
      .then(
        (lease) => {
          if (this.#shared.has(stuck)) this.#share(turn, lease, stuck.label)
          else lease.release()
        },
        (error) => {
          // The pool is closing: it waits for the original turn.
          if (!(error instanceof PoolClosedError)) fail(turn, error)
        },
      )
  }
}

function fail({ asked }: Turn, error: unknown): void {
  for (const { reject } of asked) reject(error)
}
