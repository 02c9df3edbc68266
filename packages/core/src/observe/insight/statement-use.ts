import { DurationHistogram } from '../../pool/index.ts'
import type { KnownStatement } from './known-statement.ts'

/** A statement that runs this often in one request is reported. */
export const MANY_REPEATS = 10
/** Stacks captured to find the line that sends a statement: a first one may show no line of the app. */
const MAX_ATTEMPTS = 3

/** One statement under one label. */
export class StatementUse {
  readonly statement: KnownStatement
  /** How long the server took. */
  readonly times: DurationHistogram = new DurationHistogram()
  /** The line that sends it, as `src/checkout.ts:88`. */
  site: string | undefined
  /** Requests in which it ran many times. */
  repeatingRequests = 0
  /** The most times that it ran in one request. */
  mostRepeats = 0
  /** The line that repeats it. */
  repeatSite: string | undefined
  #attempts = 0

  /** @param before its use in the time before, whose line is known. */
  constructor(statement: KnownStatement, before: StatementUse | undefined) {
    this.statement = statement
    this.site = before?.site
  }

  get wantsSite(): boolean {
    return this.site === undefined && this.#attempts < MAX_ATTEMPTS
  }

  /** @param repeats how often it has run in the current request. */
  onRepeated(repeats: number): void {
    if (repeats === MANY_REPEATS) this.repeatingRequests++
    this.mostRepeats = Math.max(this.mostRepeats, repeats)
  }

  /** A stack was captured, which shows this line, or no line of the app. */
  onTraced(site: string | undefined): void {
    this.#attempts++
    this.site ??= site
  }
}
