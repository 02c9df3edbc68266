import { type KnownStatement, OTHER_STATEMENTS } from './known-statement.ts'
import { LeaseSums } from './lease-sums.ts'
import { addTimes, doubles, LEASE_TIMES, LeaseTime, totalMillis } from './lease-times.ts'
import { StatementUse } from './statement-use.ts'

/** Distinct statements under one label. */
export const MAX_STATEMENTS_PER_LABEL = 500
/** A lease that was idle for longer wastes its connection. */
export const WASTE_MILLIS = 25
/** A request that uses this many connections at once is reported. */
export const MANY_AT_ONCE = 3

/** Stacks captured to find the lines that acquire connections. */
const MAX_ATTEMPTS = 3
const MAX_WASTE_ATTEMPTS = 10

/** A time in which a connection was held and no statement ran. */
export interface Gap {
  readonly kind: LeaseTime
  readonly millis: number
  /** The statement before; undefined if it was the first one of the lease that was waited for. */
  readonly after: StatementUse | undefined
  /** The statement that ended it; undefined if the release did. */
  readonly until: StatementUse | undefined
  /** The line that sent `until`. */
  site: string | undefined
}

/** The leases under one label within a window. */
export class LabelUse extends LeaseSums {
  /** Undefined for leases without a label. */
  readonly label: string | undefined
  readonly statements: Map<KnownStatement, StatementUse> = new Map()
  /** The longest one of each kind. */
  readonly gaps: (Gap | undefined)[] = new Array(LEASE_TIMES)
  /** Leases that were idle for long. */
  wastefulLeases = 0
  readonly wastefulTimes: number[] = doubles(LEASE_TIMES)
  /** Requests that used many connections at once. */
  requestsWithMany = 0
  mostAtOnce = 0
  /** The line that acquires many connections at once. */
  atOnceSite: string | undefined
  /** Whether a stack should be captured for the next lease. A field, because every acquire reads it. */
  wantsSite = true
  /** A line that acquires connections. */
  site: string | undefined
  /** A line that acquires connections that are idle for long. */
  wasteSite: string | undefined
  #attempts = 0
  readonly #mayAdd: () => boolean
  #before: LabelUse | undefined

  /**
   * @param before the same label in the window before, whose lines are known.
   * @param mayAdd whether the window has room for one more statement.
   */
  constructor(label: string | undefined, before: LabelUse | undefined, mayAdd: () => boolean) {
    super()
    this.label = label
    this.site = before?.site
    this.wasteSite = before?.wasteSite
    this.#before = before
    this.#mayAdd = mayAdd
    this.#updateWantsSite()
  }

  of(statement: KnownStatement): StatementUse {
    return this.statements.get(statement) ?? this.#add(statement)
  }

  /** The window has ended. */
  end(): void {
    this.#before = undefined
  }

  addGap(gap: Gap): void {
    const longest = this.gaps[gap.kind]
    if (!longest || longest.millis < gap.millis) this.gaps[gap.kind] = gap
  }

  override addLease(millis: number, times: readonly number[]): void {
    super.addLease(millis, times)
    if (millis < WASTE_MILLIS || !isWasteful(times)) return
    this.wastefulLeases++
    addTimes(this.wastefulTimes, times)
    this.#updateWantsSite()
  }

  /** Whether the stack of a lease that has ended may show a line that is not known yet. */
  get wantsTraces(): boolean {
    return this.site === undefined || this.wasteSite === undefined || this.atOnceSite === undefined
  }

  /** A stack is being captured at an acquire. */
  onAsked(): void {
    this.#attempts++
    this.#updateWantsSite()
  }

  /** A request has used many connections at once. */
  onManyAtOnce(notes: { readonly mostAtOnce: number; isCounted: boolean }): void {
    if (!notes.isCounted) this.requestsWithMany++
    notes.isCounted = true
    this.mostAtOnce = Math.max(this.mostAtOnce, notes.mostAtOnce)
  }

  /**
   * A stack was captured when a lease was acquired, and the lease has ended.
   *
   * @param site the line, if the stack shows one of the app.
   * @param atOnce connections that its request used at once.
   */
  onTraced(site: string | undefined, times: readonly number[], atOnce: number): void {
    this.site ??= site
    if (isWasteful(times)) this.wasteSite ??= site
    if (atOnce >= MANY_AT_ONCE) this.atOnceSite ??= site
    this.#updateWantsSite()
  }

  #updateWantsSite(): void {
    const wantsWaste = this.wastefulLeases > 0 && this.wasteSite === undefined
    const isKnown = this.site !== undefined && !wantsWaste
    this.wantsSite = !isKnown && this.#attempts < (wantsWaste ? MAX_WASTE_ATTEMPTS : MAX_ATTEMPTS)
  }

  #add(statement: KnownStatement): StatementUse {
    const isFull = this.statements.size >= MAX_STATEMENTS_PER_LABEL || !this.#mayAdd()
    const kept = isFull ? OTHER_STATEMENTS : statement
    const known = this.statements.get(kept)
    if (known) return known
    const use = new StatementUse(kept, this.#before?.statements.get(kept))
    this.statements.set(kept, use)
    return use
  }
}

function isWasteful(times: readonly number[]): boolean {
  return totalMillis(times) - (times[LeaseTime.Statement] as number) >= WASTE_MILLIS
}
