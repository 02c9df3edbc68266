import { PoolClosedError } from '@poolguard/core'
import { currentLabel, type Lease, setImmediate, systemClock } from '@poolguard/core/adapter'
import type { SqliteConnection } from '../connection/sqlite-connection.ts'
import type { Done, Question } from '../protocol.ts'
import { SharedLease, type Turn } from './shared-lease.ts'

/** From so many on, another message costs less than waiting for the others. */
const MAX_PER_TURN = 24
/** Younger callers join those who wait already: so little do they lose of their time. */
const JOINABLE_MILLIS = 5
/** Whoever shares a message with a statement waits for it. */
const QUICK_MILLIS = 1
/** Those who share a lease are looked after so often, while there are any. */
const LOOK_MILLIS = 5

/** Whom turns get their connections from. */
export interface Lending {
  /** @param expectedMillis how long the statements take; undefined if that is unknown. */
  acquire(expectedMillis: number | undefined): Promise<Lease<SqliteConnection>>
  /** Whether leases remember the stacks of their borrowers at the moment. */
  readonly capturesStacks: boolean
  /** They are reads: it makes no difference whether one is asked twice. */
  readonly repeatable: boolean
  /** Whether a connection that is lent may take the next turn, too: they are reads, and nobody waits for it. */
  mayShare(): boolean
}

/**
 * Single statements on their way to a connection. Those that are known to be quick share one message where they come together,
 * and one lease where they come while others are under way: a message to a thread costs more than such a statement, and one that
 * wakes it much more. All others go alone, so that nobody waits for them who need not.
 */
export class Turns {
  readonly #lending: Lending
  /** Turns that wait for their connection and have room, by the label of their callers, whose waits are told apart. */
  readonly #open = new Map<string | undefined, Turn>()
  readonly #shared = new Set<SharedLease>()
  #looking = false

  constructor(lending: Lending) {
    this.#lending = lending
  }

  /** @param millis how long it took the last time, where that is known. */
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
    // When all callbacks of this round of the event loop have been called, each of which may ask.
    setImmediate(() => this.#take(turn, label))
    return promise
  }

  /** Resolves when every turn so far has asked for a connection. */
  async taken(): Promise<void> {
    // Immediates run in their order.
    if (this.#open.size > 0) await new Promise<void>((resolve) => setImmediate(() => resolve()))
  }

  /** Alone and at once, so that the lease has its caller's stack. */
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
    if (shared.queues) this.#look()
  }

  /** Looks, while statements wait for others, whether those take longer than they should. */
  #look(): void {
    if (this.#looking || !this.#lending.repeatable) return
    this.#looking = true
    // The answers that have come meanwhile are heard before.
    systemClock.after(LOOK_MILLIS, () => setImmediate(() => this.#freeStuck()))
  }

  #freeStuck(): void {
    this.#looking = false
    const now = systemClock.now()
    for (const shared of this.#shared) for (const turn of shared.takeStuck(now)) this.#repeat(turn, shared)
    if ([...this.#shared].some(({ queues }) => queues)) this.#look()
  }

  /** Asks elsewhere as well. The answer that comes first is heard. */
  #repeat(turn: Turn, stuck: SharedLease): void {
    stuck
      .asBorrower(() => this.#lending.acquire(turn.millis))
      .then(
        (lease) => {
          if (this.#shared.has(stuck)) this.#share(turn, lease, stuck.label)
          else lease.release()
        },
        (error) => {
          // A pool that is being closed waits for what is under way.
          if (!(error instanceof PoolClosedError)) fail(turn, error)
        },
      )
  }
}

function fail({ asked }: Turn, error: unknown): void {
  for (const { reject } of asked) reject(error)
}
