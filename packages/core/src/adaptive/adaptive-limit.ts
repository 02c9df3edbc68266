import { type Clock, systemClock } from '../clock.ts'
import type { Pool } from '../pool/index.ts'
import { type LimitComparison, LimitController } from './limit-controller.ts'
import { StatementCosts } from './statement-costs.ts'

const TICK_MILLIS = 25
/** Without waiting callers for this long, nothing is measured until a caller waits again. */
const CALM_MILLIS = 2_000

/** The limit that a pool has found with `limit: 'adaptive'`. */
export interface AdaptiveLimitState {
  /** The best limit that is known. */
  readonly base: number
  /** Whether it is being compared with another one. */
  readonly comparing: boolean
  /** The last comparison; null before the first one. */
  readonly last: LimitComparison | null
}

/** Decides on the limit: the pool itself, or its fleet. */
export type LimitGuide = Pick<
  LimitController,
  'limit' | 'base' | 'last' | 'isProbing' | 'setBounds' | 'discard' | 'update'
>

export interface AdaptiveLimitOptions {
  readonly engine: Pick<Pool<unknown>, 'load' | 'limitLending' | 'settings' | 'closed'>
  /** Whether `onAnswered` is called for each statement. Otherwise each lease counts as one statement. */
  readonly countsStatements: boolean
  /** Default: a controller that finds the best limit of this pool alone. */
  readonly guide?: LimitGuide | undefined
  readonly clock?: Clock
}

/** Measures the work of a pool while callers wait, and applies the limit that its controller chooses. */
export class AdaptiveLimit {
  readonly #options: AdaptiveLimitOptions
  readonly #clock: Clock
  readonly #guide: LimitGuide
  readonly #costs = new StatementCosts()
  #cancel: (() => void) | undefined
  #load: Pool<unknown>['load']
  #tickedAt = 0
  #calmMillis = 0
  #completions = 0
  #work = 0

  constructor(options: AdaptiveLimitOptions) {
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#load = options.engine.load
    this.#guide = options.guide ?? new LimitController(this.#load.limit, { min: 1, max: options.engine.settings.max })
  }

  get state(): AdaptiveLimitState {
    const { base, isProbing, last } = this.#guide
    return { base, comparing: isProbing, last: last ?? null }
  }

  /** A caller waits: measuring begins, if it has not begun. */
  onWait(): void {
    this.#calmMillis = 0
    if (this.#cancel || this.#options.engine.closed) return
    this.#load = this.#options.engine.load
    this.#tickedAt = this.#clock.now()
    this.#completions = this.#work = 0
    this.#schedule()
  }

  /** The server has answered a statement. */
  onAnswered(statement: object, millis: number): void {
    if (!this.#cancel) return
    this.#completions++
    this.#work += this.#costs.weigh(statement, millis)
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(TICK_MILLIS, () => this.#tick(), { background: true })
  }

  #tick(): void {
    this.#cancel = undefined
    const { engine, countsStatements } = this.#options
    const before = this.#load
    const load = engine.load
    const now = this.#clock.now()
    const millis = now - this.#tickedAt
    this.#costs.age(millis)
    const ended = load.ended - before.ended
    const [completions, work] = countsStatements ? [this.#completions, this.#work] : [ended, ended]
    this.#load = load
    this.#tickedAt = now
    this.#completions = this.#work = 0
    this.#guide.setBounds({ min: 1, max: engine.settings.max })
    if (load.opening > 0 || load.lent > load.limit) this.#guide.discard(millis)
    else {
      const isSaturated = isHeld(before) && isHeld(load) && load.emptied === before.emptied
      const saturatedMillis = isSaturated ? millis : 0
      this.#guide.update({ millis, saturatedMillis, completions, work, demand: load.lent + load.waiting })
    }
    engine.limitLending(this.#guide.limit)
    this.#calmMillis = load.waiting > 0 ? 0 : this.#calmMillis + millis
    if (this.#calmMillis < CALM_MILLIS && !engine.closed) this.#schedule()
    // Until a caller waits again, nothing would end a slot with another limit.
    else engine.limitLending(this.#guide.base)
  }
}

/** Whether callers wait because of the limit, not for connections that are being opened or for their lane. */
function isHeld({ waiting, lent, validating, limit }: Pool<unknown>['load']): boolean {
  return waiting > 0 && lent + validating >= limit
}
