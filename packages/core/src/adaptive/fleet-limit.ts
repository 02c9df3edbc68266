import { COMPARED_MILLIS, FleetMeter, type FleetResult, PERIOD_MILLIS, periodOf, slotAt } from './fleet-meter.ts'
import type { LimitComparison } from './limit-controller.ts'
import type { LimitSample } from './limit-sample.ts'
import { type LimitBounds, LimitSearch } from './limit-search.ts'
import { type Criteria, judge, weakened } from './paired-comparison.ts'

type Window = readonly [from: number, to: number]

/** In each period, results are published first, then the leader decides, and then the others read its plan. */
const RESULTS: Window = [COMPARED_MILLIS, 12_000]
const DECISION: Window = [12_000, 13_000]
const READING: Window = [13_000, 14_800]
/** In a fleet a comparison takes a whole period, and costs all instances. */
const PAUSES = { restMillis: 2 * PERIOD_MILLIS, maxRestMillis: 16 * PERIOD_MILLIS, shunMillis: 4 * PERIOD_MILLIS }
/** Stricter than in a single pool: a comparison costs the whole fleet, and connections that do not help are missing elsewhere. */
const CRITERIA: Criteria = { pricePerDoubling: 0.03, clearErrors: 2, maxPairs: 60 }
/** The standard deviation of a pair, until this instance has measured its own. */
const INITIAL_NOISE = 0.2

/** What every instance of a fleet does in a period. */
export interface FleetPlan {
  readonly period: number
  /** The total of connections in use in all instances. */
  readonly base: number
  /** The total to compare it with; the same as the base in a period without a comparison. */
  readonly candidate: number
}

/** What an instance publishes for the others. */
export interface FleetNotice {
  /** The plan that it follows or has made. */
  readonly plan: FleetPlan | undefined
  readonly result: FleetResult | undefined
}

/** What an instance knows of the fleet after an exchange. */
export interface FleetState {
  /** Of all other instances. */
  readonly notices: readonly FleetNotice[]
  /** Whether the name of this instance is the first one. */
  readonly isLeader: boolean
  /** Each instance uses at least one connection, and all together no more than they may open. */
  readonly bounds: LimitBounds
  /** Callers of all instances that have a connection or wait for one. */
  readonly demand: number
}

/**
 * The adaptive limit of a fleet, in one of its instances. An instance that looked for its own best limit would take throughput from the
 * others. So all instances change the total together, at times that follow from the clock: each measures its own throughput with both
 * totals and publishes the ratio, and the leader decides for all. Any instance can take over: all publish the plan that they follow.
 *
 * A pure function of its samples and exchanges. All times are milliseconds since 1970; clocks may differ by some hundredths of a second.
 */
export class FleetLimit {
  readonly #initial: number
  #plan: FleetPlan | undefined
  /** It takes effect when its period begins. */
  #nextPlan: FleetPlan | undefined
  readonly #meter = new FleetMeter()
  #noise = INITIAL_NOISE
  /** Undefined in an instance that does not lead. */
  #search: LimitSearch | undefined
  #last: LimitComparison | undefined
  /** Pairs of the current comparison, and the sum of their gains. */
  #pairs = 0
  #gains = 0

  /** @param initial the total until the first comparison. */
  constructor(initial: number) {
    this.#initial = initial
  }

  /** The total of connections that all instances may use at this time. */
  totalAt(now: number): number {
    this.#follow(now)
    const plan = this.#plan
    if (plan?.period === periodOf(now) && slotAt(now)?.isCandidate) return plan.candidate
    return this.base
  }

  /** The best total that is known. */
  get base(): number {
    return this.#plan?.base ?? this.#initial
  }

  /** The largest total that the known plans have, now or next. */
  maxTotalAt(now: number): number {
    this.#follow(now)
    const plans = [this.#plan, this.#nextPlan].filter((plan) => plan !== undefined && plan.period >= periodOf(now))
    return Math.max(this.base, ...plans.flatMap((plan) => (plan ? [plan.base, plan.candidate] : [])))
  }

  /** Whether two totals are being compared. */
  isComparing(now: number): boolean {
    this.#follow(now)
    return this.#isComparing(now)
  }

  /** The last comparison that this instance has decided; undefined if it has not led. */
  get last(): LimitComparison | undefined {
    return this.#last
  }

  /** Adds the work of this instance in the time that ends now. */
  update(now: number, sample: LimitSample): void {
    this.#follow(now)
    if (this.#isComparing(now)) this.#meter.add(now, sample)
  }

  /** What to publish now. */
  notice(now: number): FleetNotice {
    this.#follow(now)
    return { plan: this.#nextPlan ?? this.#plan, result: this.#meter.resultOf(periodOf(now)) }
  }

  /** Reads what the others have published; the leader decides on the next period. */
  read(now: number, state: FleetState): void {
    this.#follow(now)
    for (const { plan } of state.notices) if (plan) this.#adopt(plan, now)
    this.#follow(now)
    if (!state.isLeader) this.#search = undefined
    else if (phaseOf(now) >= DECISION[0] && !this.#nextPlan) this.#lead(now, state)
  }

  /**
   * When to exchange notices next.
   *
   * @param random between 0 and 1, so that not all instances do it at once.
   */
  nextExchange(now: number, isLeader: boolean, random: number): number {
    const windows = isLeader ? [DECISION] : [RESULTS, READING]
    const phase = phaseOf(now)
    const next = windows.find(([from]) => from > phase)
    const [from, to] = next ?? (windows[0] as Window)
    return now - phase + (next ? 0 : PERIOD_MILLIS) + from + (to - from) * random
  }

  #isComparing(now: number): boolean {
    const plan = this.#plan
    return plan?.period === periodOf(now) && plan.candidate !== plan.base
  }

  #follow(now: number): void {
    if (!this.#nextPlan || this.#nextPlan.period > periodOf(now)) return
    this.#plan = this.#nextPlan
    this.#nextPlan = undefined
  }

  /** The latest plan counts. Of two leaders that do not know each other yet, the one with the smaller totals. */
  #adopt(plan: FleetPlan, now: number): void {
    if (plan.period > periodOf(now) + 1) return
    const known = this.#nextPlan ?? this.#plan
    if (known && !comesBefore(plan, known)) return
    this.#nextPlan = plan
  }

  #lead(now: number, { notices, bounds, demand }: FleetState): void {
    const search = this.#searchWithin(bounds)
    const plan = this.#plan
    const period = periodOf(now)
    if (plan && this.#isComparing(now)) {
      const own = this.#meter.resultOf(period)
      const published = notices.flatMap(({ result }) => (result?.period === period ? [result] : []))
      this.#learn(now, plan, own ? [own, ...published] : published, search)
    }
    const ongoing = this.#pairs > 0 ? plan?.candidate : undefined
    const candidate = ongoing ?? search.next(now, demand) ?? search.base
    this.#nextPlan = { period: period + 1, base: search.base, candidate }
  }

  /** The search of this instance, if its base is still the one that all follow. */
  #searchWithin(bounds: LimitBounds): LimitSearch {
    if (this.#search?.base !== this.base) {
      this.#search = new LimitSearch(this.base, bounds, PAUSES)
      this.#forget()
    } else if (this.#search.setBounds(bounds)) this.#forget()
    return this.#search
  }

  #learn(now: number, plan: FleetPlan, results: readonly FleetResult[], search: LimitSearch): void {
    const weight = results.reduce((sum, each) => sum + each.weight, 0)
    if (weight === 0) {
      search.shun(now, plan.candidate)
      this.#forget()
      return
    }
    const gain = Math.log(results.reduce((sum, each) => sum + each.weight * Math.exp(each.gain), 0) / weight)
    const pairs = Math.max(...results.map((each) => each.pairs))
    this.#noise = this.#meter.noise ?? this.#noise
    this.#pairs += pairs
    this.#gains += gain * pairs
    const prior = search.evidenceOf(plan.candidate) ?? { mean: 0, pairs: 0 }
    const all = this.#pairs + prior.pairs
    const evidence = { mean: (this.#gains + prior.mean * prior.pairs) / all, pairs: all }
    const verdict = judge(plan, evidence, { own: this.#pairs, error: this.#noise / Math.sqrt(all), criteria: CRITERIA })
    if (!verdict) return
    const { base, candidate } = plan
    this.#last = { base, candidate, throughputRatio: Math.exp(evidence.mean), confidence: verdict.confidence }
    search.decide(now, plan.candidate, { ...verdict, evidence: weakened(verdict.evidence) })
    this.#forget()
  }

  #forget(): void {
    this.#pairs = 0
    this.#gains = 0
  }
}

function phaseOf(now: number): number {
  return now - periodOf(now) * PERIOD_MILLIS
}

function comesBefore(a: FleetPlan, b: FleetPlan): boolean {
  if (a.period !== b.period) return a.period > b.period
  return a.base === b.base ? a.candidate < b.candidate : a.base < b.base
}
