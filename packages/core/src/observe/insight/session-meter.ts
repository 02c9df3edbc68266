import { type BorrowerTraces, captureTrace, findCallSite, type TrackedLease } from '../../pool/index.ts'
import { InsightNotes } from './caller-notes.ts'
import type { KnownStatement } from './known-statement.ts'
import { type Gap, type LabelUse, WASTE_MILLIS } from './label-use.ts'
import { doubles, LEASE_TIMES, LeaseTime } from './lease-times.ts'
import type { LoopDelay } from './loop-delay.ts'
import { MANY_REPEATS, type StatementUse } from './statement-use.ts'

/** The parts of an insight that its meters use. */
export interface MeterSource {
  readonly delay: LoopDelay
  now(): number
  /** The label and the notes of a lease: {@link SessionMeter.enter} is called with them. */
  enter(meter: SessionMeter, lease: TrackedLease<unknown>): void
  find(text: string, now: number): KnownStatement
  /** Whether no line is known yet that sends this query: its text, or the strings of its template. */
  isNew(query: string | object, label: LabelUse, now: number): boolean
  /** Whether one more stack may be captured now. */
  mayTrace(now: number): boolean
  /** Called for each statement that the server has answered. */
  onAnswered: ((statement: KnownStatement, millis: number) => void) | undefined
}

/** A connection whose time is measured. */
export interface MeteredSession {
  /** The text of the statement that the server is running or has just answered; null if unknown. */
  readonly runningText: string | null
}

/** A stack that was captured when a statement was sent. */
interface StatementTrace {
  readonly traces: BorrowerTraces
  readonly use: StatementUse
  readonly repeats: boolean
  gap: Gap | undefined
}

/** Indexes of the numbers of a meter, behind the four times of its lease. */
const SINCE = LEASE_TIMES
const DELAY_READ = LEASE_TIMES + 1
const STARTED_AT = LEASE_TIMES + 2
const CALLED_AT = LEASE_TIMES + 3
const NUMBERS = LEASE_TIMES + 4

/**
 * Measures where the time of one connection's leases goes. The driver reports when a caller sends a statement, when the statement goes to
 * the server, and when the server is ready again; each report is a few additions.
 */
export class SessionMeter {
  /**
   * The times of the current lease, by `LeaseTime`, and the numbers above. One array of doubles: fields would be one object for each
   * number, which a busy process finds in no cache.
   */
  readonly times: number[] = doubles(NUMBERS)
  /**
   * The current lease; undefined while no caller holds the connection. Everything else waits for its first statement: many checkouts are
   * shorter than a measurement.
   */
  lease: TrackedLease<unknown> | undefined
  /** The label of the current lease; undefined until its first statement. */
  label: LabelUse | undefined
  readonly #source: MeterSource
  readonly #delay: LoopDelay
  readonly #session: MeteredSession
  /** For leases that belong to no request and no scope. */
  readonly #ownNotes = new InsightNotes({}, undefined)
  #notes: InsightNotes = this.#ownNotes
  #unanswered = 0
  #inTransaction = false
  /** The statement that a caller has sent on the idle connection. */
  #next: StatementUse | undefined
  #running: StatementUse | undefined
  /** The statement that was answered last. */
  #last: StatementUse | undefined
  #trace: StatementTrace | undefined
  /** How often the statement that was sent last has run in its request. */
  #repeats = 0

  constructor(source: MeterSource, session: MeteredSession) {
    this.#source = source
    this.#delay = source.delay
    this.#session = session
  }

  /**
   * The current lease is about to run its first statement, or has lasted for long without one.
   *
   * @param notes of its request or scope, if it belongs to one.
   */
  enter(label: LabelUse, notes: InsightNotes | undefined, since: number): void {
    this.label = label
    this.#notes = notes ?? this.#ownNotes
    this.times[SINCE] = since
    this.times[DELAY_READ] = this.#delay.readAt(since)
    this.#delay.keepRunning()
  }

  /** The lease has ended: its times are complete until {@link clear}. */
  end(now: number): void {
    this.#update(now, undefined)
    if (this.#unanswered > 0) this.times[STARTED_AT] = now
  }

  /** Forgets the lease. */
  clear(): void {
    this.lease = undefined
    if (!this.label) return
    this.label = undefined
    const { times } = this
    for (let i = 0; i < LEASE_TIMES; i++) times[i] = 0
    this.#next = undefined
    this.#last = undefined
    this.#ownNotes.reset()
  }

  /** Whether the connection is idle for so long that the line that ends the gap is worth a stack. */
  isInGap(now: number): boolean {
    return this.#entered !== undefined && this.#unanswered === 0 && now - (this.times[SINCE] as number) >= WASTE_MILLIS
  }

  /**
   * A caller sends a statement. Call it in the caller's own stack, of which the frames above `below` count.
   *
   * @returns the stack, if it was captured: pass it and the result to `traceAwaiting`.
   */
  call(text: string, below: (...args: never[]) => unknown): BorrowerTraces | undefined {
    const label = this.#entered
    if (!label) return undefined
    const now = this.#source.now()
    const use = this.#count(label.of(this.#source.find(text, now)), now)
    const repeats = this.#repeats === MANY_REPEATS
    if (!use.wantsSite && !repeats && !(this.#next && this.isInGap(now))) return undefined
    if (!this.#source.mayTrace(now)) return undefined
    const traces = { call: captureTrace(below) }
    this.#trace = { traces, use, repeats, gap: undefined }
    return traces
  }

  /** Whether to capture the stack of the caller that makes a query, for a driver that sends the query later. */
  wantsStackOf(query: string | object): boolean {
    const label = this.#entered
    if (!label) return false
    const now = this.#source.now()
    return (this.isInGap(now) || this.#source.isNew(query, label, now)) && this.#source.mayTrace(now)
  }

  /** The same as {@link call} for a driver that has captured the stack before, if it has. */
  callTraced(statement: KnownStatement, traces: BorrowerTraces | undefined): void {
    const label = this.#entered
    if (!label) return
    const use = this.#count(label.of(statement), this.#source.now())
    if (traces) this.#trace = { traces, use, repeats: this.#repeats >= MANY_REPEATS, gap: undefined }
  }

  /** A statement goes to the server. */
  sent(): void {
    if (this.#unanswered === 0 && this.#entered) {
      const { times } = this
      const next = this.#next
      // A statement that a caller sends on an idle connection goes to the server at once.
      const now = next ? (times[CALLED_AT] as number) : this.#source.now()
      this.#update(now, next)
      this.#running = next
      this.#next = undefined
      times[STARTED_AT] = now
    }
    this.#unanswered++
  }

  /**
   * The server has answered a statement (ReadyForQuery).
   *
   * @param unanswered the statements that it has still to answer.
   */
  answered(inTransaction: boolean, unanswered: number = this.#unanswered - 1): void {
    const label = this.#entered
    if (label) {
      const { times } = this
      const now = this.#source.now()
      this.#update(now, undefined)
      const use = this.#running ?? this.#findRunning(label, now)
      const millis = now - (times[STARTED_AT] as number)
      use?.times.record(millis)
      if (use) this.#source.onAnswered?.(use.statement, millis)
      if (this.#trace) this.#resolveTrace(this.#trace)
      this.#last = use
      this.#running = undefined
      times[STARTED_AT] = now
    }
    this.#unanswered = Math.max(0, unanswered)
    this.#inTransaction = inTransaction
  }

  /** The label of the current lease; undefined if there is none. */
  get #entered(): LabelUse | undefined {
    if (!this.label && this.lease) this.#source.enter(this, this.lease)
    return this.label
  }

  /** The statement of the current lease that was answered last, without literals; undefined if there is none. */
  get lastStatement(): string | undefined {
    return this.#last?.statement.text
  }

  #count(use: StatementUse, now: number): StatementUse {
    this.times[CALLED_AT] = now
    // A statement behind others starts later; it is found by its text.
    this.#next = this.#unanswered === 0 ? use : undefined
    if (use.statement.isControl) {
      this.#repeats = 0
      return use
    }
    const repeats = this.#notes.count(use)
    this.#repeats = repeats
    if (repeats >= MANY_REPEATS) use.onRepeated(repeats)
    return use
  }

  /**
   * Adds the time since the last call to what the connection has been doing.
   *
   * @param until the statement that has ended that; undefined for the release.
   */
  #update(now: number, until: StatementUse | undefined): void {
    const { times } = this
    const delayRead = this.#delay.read(now)
    const elapsedMillis = now - (times[SINCE] as number)
    const doing: LeaseTime =
      this.#unanswered > 0 ? LeaseTime.Statement : this.#inTransaction ? LeaseTime.IdleInTransaction : LeaseTime.Idle
    times[SINCE] = now
    if (delayRead === times[DELAY_READ]) {
      times[doing] = (times[doing] as number) + elapsedMillis
      if (elapsedMillis >= WASTE_MILLIS && doing !== LeaseTime.Statement) this.#noteGap(doing, elapsedMillis, until)
      return
    }
    const cpuMillis = Math.min(elapsedMillis, delayRead - (times[DELAY_READ] as number))
    times[DELAY_READ] = delayRead
    times[doing] = (times[doing] as number) + elapsedMillis - cpuMillis
    times[LeaseTime.OwnCpu] = (times[LeaseTime.OwnCpu] as number) + cpuMillis
    if (doing !== LeaseTime.Statement) this.#noteGap(doing, elapsedMillis - cpuMillis, until)
    this.#noteGap(LeaseTime.OwnCpu, cpuMillis, until)
  }

  #noteGap(kind: LeaseTime, millis: number, until: StatementUse | undefined): void {
    if (millis < WASTE_MILLIS) return
    const gap: Gap = { kind, millis, after: this.#last, until, site: undefined }
    this.label?.addGap(gap)
    if (this.#trace && this.#trace.use === until) this.#trace.gap = gap
  }

  #findRunning(label: LabelUse, now: number): StatementUse | undefined {
    const text = this.#session.runningText
    return text === null ? undefined : label.of(this.#source.find(text, now))
  }

  #resolveTrace({ traces, use, repeats, gap }: StatementTrace): void {
    this.#trace = undefined
    const site = findCallSite([traces.call, traces.awaiting])
    use.onTraced(site)
    if (repeats) use.repeatSite ??= site
    if (gap) gap.site = site
  }
}
