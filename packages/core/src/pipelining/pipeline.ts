import type { Clock } from '../clock.ts'
import type { AcquireOptions, BorrowerTraces, Lease, Pool } from '../pool/index.ts'
import { chooseConnection, markDraining, type SharedConnection } from './choose-queue.ts'
import { RoundTrip } from './round-trip.ts'
import type { SharedRequest, SharedStatement } from './shared-statement.ts'
import { type Stall, StallWatch } from './stall-watch.ts'
import type { StatementProfile } from './statement-profile.ts'
import { StatementQueue } from './statement-queue.ts'

/** After this many statements in the line that fit on no connection, the rest is not tried. */
const MAX_MISSES = 8

export interface PipelineOptions<C> {
  readonly engine: Pool<C>
  /** The lane of all its statements: connections are not shared with other lanes. Undefined in a pool without lanes. */
  readonly lane: string | undefined
  readonly clock: Clock
  /** Acquires a connection, as for a statement that runs alone. */
  readonly acquire: (options: AcquireOptions) => Promise<Lease<C>>
  readonly shareWithinMillis: number
  /** Called when the first statement gets a connection, and when the last one has been answered. */
  readonly onOpen: (connection: C) => void
  /** Called in the caller's own context before a statement is sent behind others that has not acquired a connection. */
  readonly onBehind: () => void
  readonly onClose: (lease: Lease<C>, broken: Error | undefined) => void
  readonly onStall: (stall: Stall) => void
}

/** The totals of a pipeline so far, and its current state. */
export interface PipelineStats {
  /** Statements sent behind others so far. */
  readonly sentBehind: number
  /** Statements in flight on connections that statements share. */
  readonly inFlight: number
  /** The most statements that were in flight on one connection. */
  readonly maxDepth: number
  /** Heads that ran for a second or longer while other statements waited behind them. */
  readonly stalls: number
}

/** A connection on which statements are in flight. Its lease belongs to the head. */
class OpenConnection<C> implements SharedConnection<SharedStatement<C>> {
  readonly connection: C
  readonly queue: StatementQueue<SharedStatement<C>>
  lease: Lease<C> | undefined
  isDraining = false
  /** Statements in flight whose callers still wait. */
  awaited = 0
  /** Set if the connection must be closed once it is empty. */
  broken: Error | undefined

  constructor(connection: C, queue: StatementQueue<SharedStatement<C>>) {
    this.connection = connection
    this.queue = queue
  }
}

/**
 * Sends statements behind others on connections in use, if no connection is idle and none may be opened. A statement gets a lease as
 * every other caller; while it runs, further statements may follow it on the same connection, and the lease passes from one to the next.
 * A statement that fits nowhere waits in the pool's line, and leaves the line when it fits.
 */
export class Pipeline<C extends object> {
  readonly #options: PipelineOptions<C>
  readonly #roundTrip = new RoundTrip()
  readonly #known = new WeakMap<C, OpenConnection<C>>()
  readonly #open = new Set<OpenConnection<C>>()
  readonly #places = new WeakMap<SharedStatement<C>, OpenConnection<C>>()
  /** Statements in the pool's line, in order. */
  readonly #waiting = new Set<SharedStatement<C>>()
  /** Those of them that may join a connection. */
  #joinable = 0
  readonly #stallWatch: StallWatch<SharedStatement<C>>
  #sentBehind = 0
  #maxDepth = 0
  #stalls = 0

  constructor(options: PipelineOptions<C>) {
    this.#options = options
    this.#stallWatch = new StallWatch(
      options.clock,
      () => [...this.#open].map(({ queue }) => queue),
      (stall) => {
        this.#stalls++
        options.onStall(stall)
      },
    )
  }

  get stats(): PipelineStats {
    const inFlight = this.#open.size + this.behind
    return { sentBehind: this.#sentBehind, inFlight, maxDepth: this.#maxDepth, stalls: this.#stalls }
  }

  /** Statements that wait for an answer behind others. */
  get behind(): number {
    let behind = 0
    for (const { queue } of this.#open) behind += queue.depth - 1
    return behind
  }

  /** Call it in the caller's own stack, of which the frames above `below` count. */
  request(
    profile: StatementProfile,
    bytes: number,
    below: (...args: never[]) => unknown,
    traces?: BorrowerTraces,
  ): SharedRequest {
    const engine = this.#options.engine
    const since = this.#options.clock.now()
    const { lane, shareWithinMillis } = this.#options
    return { profile, bytes, since, lane, shareWithinMillis, borrower: engine.identify(since, below, traces) }
  }

  /** Sends the statement: on an idle connection, behind others, or when it is its turn in the pool's line. */
  run(statement: SharedStatement<C>): void {
    const { engine, lane } = this.#options
    if (statement.signal?.aborted) {
      statement.reject(statement.signal.reason)
      return
    }
    if (engine.isExhausted(lane) && statement.mayJoin && !engine.closed && this.#join(statement, statement.since))
      return
    statement.onWaiting = (waiting) => this.#addWaiting(waiting)
    this.#options.acquire({ joiner: statement, lane, borrower: statement.borrower, signal: statement.signal }).then(
      (lease) => this.#begin(statement, lease),
      (error: unknown) => {
        this.#removeWaiting(statement)
        statement.reject(error)
      },
    )
  }

  /**
   * A statement was answered, or its connection is lost. Call it once for each statement that was sent, before its caller learns the
   * outcome.
   *
   * @param broken the error that leaves the connection in doubt: it accepts no more, and is closed once it is empty.
   */
  finish(statement: SharedStatement<C>, failed: boolean, broken?: Error): void {
    const place = this.#places.get(statement)
    if (!place) return
    this.#places.delete(statement)
    statement.endAbortWatch?.()
    const wasJoinable = statement.mayJoin
    const wasHead = place.queue.finish(statement, this.#options.clock.now(), failed)
    if (this.#waiting.size > 0 && wasJoinable !== statement.mayJoin) this.#recountJoinable()
    if (broken) {
      place.broken ??= broken
      place.queue.refuse('a statement has left the connection in doubt')
    }
    if (!statement.isAbandoned) place.awaited--
    if (place.queue.depth === 0) this.#close(place, place.broken)
    else if (place.awaited === 0) this.#close(place, unanswered())
    else if (wasHead) this.#passOn(place)
    if (this.#waiting.size > 0) this.#serveWaiting()
  }

  /**
   * A statement's caller has got an error and waits no longer, although the server has not answered. The other statements on the
   * connection are not disturbed: it accepts no more, and is closed before it is empty only if no caller waits for an answer on it.
   */
  abandon(statement: SharedStatement<C>): void {
    const place = this.#places.get(statement)
    if (!place || statement.isAbandoned) return
    statement.isAbandoned = true
    place.queue.refuse('a caller has given up a statement on it')
    if (--place.awaited === 0) this.#close(place, unanswered())
  }

  /**
   * Keeps further statements off the connection of a statement. Returns true if the statement is alone there: a cancel request then hits
   * no other one.
   */
  isolate(statement: SharedStatement<C>): boolean {
    const place = this.#places.get(statement)
    if (!place) return false
    place.queue.refuse('a statement on it is being cancelled')
    return place.queue.depth === 1
  }

  #begin(statement: SharedStatement<C>, lease: Lease<C>): void {
    this.#removeWaiting(statement)
    // Aborted after the pool has lent the connection.
    if (statement.signal?.aborted) {
      lease.release()
      statement.reject(statement.signal.reason)
      return
    }
    const place = this.#placeOf(lease.resource)
    place.lease = lease
    place.isDraining = false
    place.awaited = 0
    place.broken = undefined
    this.#open.add(place)
    this.#options.onOpen(place.connection)
    this.#send(statement, place)
    if (this.#waiting.size > 0) this.#serveWaiting()
  }

  #placeOf(connection: C): OpenConnection<C> {
    const known = this.#known.get(connection)
    if (known) return known
    const queue = new StatementQueue<SharedStatement<C>>(this.#options.shareWithinMillis, this.#roundTrip)
    const place = new OpenConnection(connection, queue)
    this.#known.set(connection, place)
    return place
  }

  /** Sends a statement behind others. Returns false if it fits on no connection. */
  #join(statement: SharedStatement<C>, now: number): boolean {
    if (this.#open.size === 0) return false
    const { engine, lane } = this.#options
    const exclusiveWaiters = Math.max(0, engine.queuedIn(lane) - this.#joinable)
    markDraining(this.#open, exclusiveWaiters, now)
    const place = chooseConnection<SharedStatement<C>, OpenConnection<C>>(this.#open, statement, {
      now,
      mayPassWaiters: exclusiveWaiters > 0 && statement.since < engine.exclusiveSince(lane),
      suits: ({ lease, connection }) => lease?.isLasting === true && statement.suits(connection),
    })
    // Taken out of the line, it may turn out to have got a connection of its own already.
    if (!place || (statement.leave && !statement.leave())) return false
    this.#removeWaiting(statement)
    if (!statement.leave) this.#options.onBehind()
    this.#sentBehind++
    this.#send(statement, place)
    this.#stallWatch.onShared(now)
    return true
  }

  #send(statement: SharedStatement<C>, place: OpenConnection<C>): void {
    const isBehind = place.queue.depth > 0
    place.queue.add(statement, this.#options.clock.now())
    place.awaited++
    if (place.queue.depth > this.#maxDepth) this.#maxDepth = place.queue.depth
    this.#places.set(statement, place)
    if (statement.signal) this.#watchAbort(statement, statement.signal)
    statement.send(place.connection, isBehind)
  }

  #watchAbort(statement: SharedStatement<C>, signal: AbortSignal): void {
    const abort = () => {
      if (statement.isAbandoned || !this.#places.has(statement)) return
      statement.reject(signal.reason)
      this.abandon(statement)
    }
    signal.addEventListener('abort', abort, { once: true })
    statement.endAbortWatch = () => signal.removeEventListener('abort', abort)
  }

  /** The next statement is the head now: the lease, which limits, reports and statistics look at, becomes its own. */
  #passOn(place: OpenConnection<C>): void {
    const { head } = place.queue
    if (!head || !place.lease) return
    place.lease = place.lease.passOn(this.#options.clock.now() - head.since, head.borrower) ?? place.lease
  }

  #close(place: OpenConnection<C>, broken: Error | undefined): void {
    const { lease } = place
    this.#open.delete(place)
    place.lease = undefined
    if (lease) this.#options.onClose(lease, broken)
  }

  #addWaiting(statement: SharedStatement<C>): void {
    this.#waiting.add(statement)
    this.#count(statement, statement.mayJoin)
  }

  #removeWaiting(statement: SharedStatement<C>): void {
    if (this.#waiting.delete(statement)) this.#count(statement, false)
  }

  #count(statement: SharedStatement<C>, isCounted: boolean): void {
    if (statement.isCounted === isCounted) return
    statement.isCounted = isCounted
    this.#joinable += isCounted ? 1 : -1
  }

  #recountJoinable(): void {
    for (const each of this.#waiting) this.#count(each, each.mayJoin)
  }

  /** Sends statements of the line that fit on a connection now. */
  #serveWaiting(): void {
    const { engine, lane } = this.#options
    if (!engine.isExhausted(lane)) return
    const now = this.#options.clock.now()
    let misses = 0
    for (const statement of this.#waiting) {
      if (!statement.mayJoin || this.#join(statement, now)) continue
      if (++misses === MAX_MISSES) return
    }
  }
}

/** No caller waits for the answers that are outstanding on a connection. */
function unanswered(): Error {
  return new Error('all callers have given up the statements on this connection')
}
