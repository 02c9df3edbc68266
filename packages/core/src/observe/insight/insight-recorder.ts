import { type Clock, systemClock } from '../../clock.ts'
import {
  type BorrowerTraces,
  type CallerContext,
  currentRun,
  findCallSite,
  type LabelledRun,
  type LeaseObserver,
  type PoolStats,
  type PoolWaste,
  type TrackedLease,
} from '../../pool/index.ts'
import { InsightNotes } from './caller-notes.ts'
import { findingsOf, type InsightFinding, wasteOfPool } from './findings.ts'
import { InsightWindow } from './insight-window.ts'
import { type KnownStatement, KnownStatements } from './known-statement.ts'
import { LabelSums } from './label-sums.ts'
import { type LabelUse, MANY_AT_ONCE, WASTE_MILLIS } from './label-use.ts'
import { addTimes, doubles, LEASE_TIMES, readTimes } from './lease-times.ts'
import { LoopDelay } from './loop-delay.ts'
import { type MergedWindows, mergeWindows } from './merged-windows.ts'
import { type InsightSummary, type PoolInsight, readInsight } from './pool-insight.ts'
import { type MeteredSession, type MeterSource, SessionMeter } from './session-meter.ts'

/** The insight shows the current window and the one before: the last five to ten minutes. */
const WINDOW_MILLIS = 300_000
/** Each captured stack takes tens of microseconds. */
const TRACES_PER_SECOND = 20
const MAX_TRACES_AT_ONCE = 100
/** The findings are computed again only after this many times the time that it took: each snapshot and each timeout reads them. */
const FINDINGS_PAUSE = 50

/** Event loop delay is the same for all pools of the process. */
const processDelay = new LoopDelay(systemClock.now)

export interface InsightRecorderOptions {
  /** False: no stack is captured, so that findings show no line. */
  readonly capturesStacks: boolean
  readonly stats: () => PoolStats
  readonly clock?: Pick<Clock, 'now'>
  readonly delay?: LoopDelay
}

/** Records where the time of a pool's leases goes, by label and statement, for connections that have a `meter`. */
export class InsightRecorder<R> implements LeaseObserver<R>, MeterSource {
  readonly delay: LoopDelay
  onAnswered: MeterSource['onAnswered'] = undefined
  readonly #options: InsightRecorderOptions
  readonly #now: () => number
  readonly #statements = new KnownStatements()
  readonly #sums = new LabelSums()
  #window: InsightWindow | undefined
  /** Leases without a label in the current window. */
  #unlabelled: LabelUse | undefined
  #previous: InsightWindow | undefined
  #windowEndsAt = Number.NEGATIVE_INFINITY
  #traces = MAX_TRACES_AT_ONCE
  #tracesAt = 0
  #leases = 0
  #findings: readonly InsightFinding[] = []
  #waste: PoolWaste | undefined
  /** The number of leases that the findings are about. */
  #foundLeases = 0
  #nextFindingsAt = Number.NEGATIVE_INFINITY

  constructor(options: InsightRecorderOptions) {
    this.#options = options
    this.#now = (options.clock ?? systemClock).now.bind(options.clock)
    this.delay = options.delay ?? processDelay
  }

  now(): number {
    return this.#now()
  }

  find(text: string, now: number): KnownStatement {
    return this.#statements.find(text, now)
  }

  newMeter(session: MeteredSession): SessionMeter {
    return new SessionMeter(this, session)
  }

  mayTrace(now: number): boolean {
    if (!this.#options.capturesStacks) return false
    const refilled = this.#traces + ((now - this.#tracesAt) / 1_000) * TRACES_PER_SECOND
    this.#traces = Math.min(MAX_TRACES_AT_ONCE, refilled)
    this.#tracesAt = now
    if (this.#traces < 1) return false
    this.#traces--
    return true
  }

  get wantsUnlabelled(): boolean {
    return this.#unlabelled === undefined || this.#unlabelled.wantsSite
  }

  asks(run: LabelledRun | undefined, now: number): boolean {
    const notes = run && this.#notesOf(run)
    notes?.ask(now)
    const label = this.#labelOf(run?.label, notes, now)
    const isAtOnce = notes !== undefined && notes.mostAtOnce >= MANY_AT_ONCE && label.atOnceSite === undefined
    if (!(isAtOnce || label.wantsSite) || !this.mayTrace(now)) return false
    label.onAsked()
    return true
  }

  begin(lease: TrackedLease<R>): void {
    const { borrower } = lease
    if (borrower?.run) this.#notesOf(borrower.run).begin()
    const { meter } = lease.resource as Metered
    if (meter) meter.lease = lease
  }

  enter(meter: SessionMeter, { borrower, since }: TrackedLease<unknown>): void {
    const run = borrower?.run
    const context = run ?? borrower?.scope
    const notes = context && this.#notesOf(context)
    meter.enter(this.#labelOf(run?.label, run && notes, since), notes, since)
  }

  end(lease: TrackedLease<R>, now: number): void {
    const { borrower, since } = lease
    const { meter } = lease.resource as Metered
    if (meter) {
      const heldMillis = now - since
      if (!meter.label && heldMillis >= WASTE_MILLIS) this.enter(meter, lease)
      if (meter.label) this.#add(lease, meter, meter.label, now)
      meter.clear()
    }
    if (borrower?.run) this.#notesOf(borrower.run).end()
  }

  /** For drivers that send a query later than it is made: whether to capture the stack when it is made. */
  wantsStackOf(query: string | object): boolean {
    const now = this.#now()
    const run = currentRun()
    const label = this.#labelOf(run?.label, run && this.#notesOf(run), now)
    return (label.wantsSite || this.isNew(query, label, now)) && this.mayTrace(now)
  }

  isNew(query: string | object, label: LabelUse, now: number): boolean {
    const statement = typeof query === 'string' ? this.find(query, now) : this.#statements.findTemplate(query)
    const use = statement && label.statements.get(statement)
    return use === undefined || use.wantsSite
  }

  /** @param query its text, or the strings of its template. */
  statementOf(query: string | object, text: () => string): KnownStatement {
    if (typeof query === 'string') return this.find(query, this.#now())
    return this.#statements.findTemplate(query) ?? this.#statements.addTemplate(query, text(), this.#now())
  }

  /** Sums since the pool exists, and the findings of the last minutes. */
  summary(): InsightSummary {
    const sums = this.#sums.read(this.#windows())
    const times = doubles(LEASE_TIMES)
    for (const each of sums.values()) addTimes(times, each)
    const labelled = [...sums].flatMap(([label, each]) => (label === undefined ? [] : [[label, readTimes(each)]]))
    return { times: readTimes(times), timesByLabel: Object.fromEntries(labelled), findings: this.findings() }
  }

  /** Everything that is known about the last minutes. */
  read(): PoolInsight {
    const now = this.#now()
    const merged = this.#merge(now)
    return readInsight({ merged, now, findings: this.#find(merged, now) })
  }

  findings(): readonly InsightFinding[] {
    const now = this.#now()
    const isSame = this.#foundLeases === this.#leases && now < this.#windowEndsAt
    return isSame || now < this.#nextFindingsAt ? this.#findings : this.#find(this.#merge(now), now)
  }

  #merge(now: number): MergedWindows {
    this.#turn(now)
    return mergeWindows(this.#windows(), this.#options.stats().capacityMillis)
  }

  /** @param began when merging began: the time that it takes counts, too. */
  #find(merged: MergedWindows, began: number): readonly InsightFinding[] {
    this.#findings = findingsOf(merged)
    this.#waste = wasteOfPool(merged, this.#findings)
    this.#foundLeases = this.#leases
    const end = this.#now()
    this.#nextFindingsAt = end + (end - began) * FINDINGS_PAUSE
    return this.#findings
  }

  waste(): PoolWaste | undefined {
    this.findings()
    return this.#waste
  }

  #windows(): InsightWindow[] {
    return [this.#previous, this.#window].filter((each) => each !== undefined)
  }

  /** Begins the next window if it is time. */
  #turn(now: number): InsightWindow {
    if (this.#window && now < this.#windowEndsAt) return this.#window
    const isRecent = this.#window !== undefined && now < this.#windowEndsAt + WINDOW_MILLIS
    this.#sums.add(this.#previous)
    if (!isRecent) this.#sums.add(this.#window)
    this.#window?.end()
    this.#previous = isRecent ? this.#window : undefined
    this.#window = new InsightWindow(now, this.#options.stats().capacityMillis)
    this.#windowEndsAt = now + WINDOW_MILLIS
    this.#unlabelled = this.#window.labelOf(undefined, this.#previous)
    return this.#window
  }

  #labelOf(label: string | undefined, notes: InsightNotes | undefined, now: number): LabelUse {
    if (label === undefined && this.#unlabelled && now < this.#windowEndsAt) return this.#unlabelled
    const window = this.#turn(now)
    if (notes?.label && notes.label.label === label && notes.window === window) return notes.label
    const use = window.labelOf(label, this.#previous)
    if (notes) {
      notes.label = use
      notes.window = window
    }
    return use
  }

  #notesOf(context: CallerContext): InsightNotes {
    for (let notes = context.notes; notes; notes = notes.next) {
      if (notes.owner === this) return notes as InsightNotes
    }
    const made = new InsightNotes(this, context.notes)
    context.notes = made
    return made
  }

  #add({ borrower, since, lane }: TrackedLease<R>, meter: SessionMeter, label: LabelUse, now: number): void {
    meter.end(now)
    this.#leases++
    const heldMillis = now - since
    label.addLease(heldMillis, meter.times)
    if (lane?.hasQuota) this.#turn(now).laneOf(lane.name).addLease(heldMillis, meter.times)
    if (!borrower) return
    const { run, traces } = borrower
    const notes = run && this.#notesOf(run)
    const mostAtOnce = notes?.mostAtOnce ?? 0
    if (notes && mostAtOnce >= MANY_AT_ONCE) label.onManyAtOnce(notes)
    if (traces && label.wantsTraces) label.onTraced(siteOf(traces), meter.times, mostAtOnce)
  }
}

/** A connection of a driver. */
export interface Metered {
  readonly meter?: SessionMeter | undefined
}

function siteOf(traces: BorrowerTraces): string | undefined {
  return findCallSite([traces.call, traces.awaiting])
}
