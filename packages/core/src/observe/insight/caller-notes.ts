import type { CallerNotes } from '../../pool/index.ts'
import type { LabelUse } from './label-use.ts'
import type { StatementUse } from './statement-use.ts'

/** Different statements of one request that are counted at a time. */
const MAX_STATEMENTS = 16
/** A caller that asked this long ago may have given up. */
const PENDING_MILLIS = 100

/** What a pool knows about one request, job or transaction: which statements it repeats, and how many connections it holds at once. */
export class InsightNotes implements CallerNotes {
  readonly owner: object
  readonly next: CallerNotes | undefined
  /** The most connections held or asked for at once. */
  mostAtOnce = 0
  /** True if the label has counted it as a request that uses many connections at once. */
  isCounted = false
  /** The request's label in a window. */
  label: LabelUse | undefined
  window: object | undefined
  readonly #statements: StatementUse[] = []
  readonly #counts: number[] = []
  #size = 0
  #last = 0
  #hand = 0
  #pending = 0
  #held = 0
  #askedAt = 0

  constructor(owner: object, next: CallerNotes | undefined) {
    this.owner = owner
    this.next = next
  }

  ask(now: number): void {
    if (now - this.#askedAt > PENDING_MILLIS) this.#pending = 0
    this.#askedAt = now
    this.#pending++
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#pending + this.#held)
  }

  begin(): void {
    if (this.#pending > 0) this.#pending--
    this.#held++
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#pending + this.#held)
  }

  end(): void {
    this.#held--
  }

  /** Counts a statement, and returns how often it ran in this request. */
  count(use: StatementUse): number {
    const statements = this.#statements
    if (this.#size === 0 || statements[this.#last] !== use) {
      const found = this.#indexOf(use)
      if (found < 0) return this.#add(use)
      this.#last = found
    }
    const count = (this.#counts[this.#last] as number) + 1
    this.#counts[this.#last] = count
    return count
  }

  /** Forgets the statements. */
  reset(): void {
    this.#size = 0
    this.#last = 0
  }

  #indexOf(use: StatementUse): number {
    for (let i = 0; i < this.#size; i++) if (this.#statements[i] === use) return i
    return -1
  }

  #add(use: StatementUse): number {
    const slot = this.#size < MAX_STATEMENTS ? this.#size++ : this.#hand++ % MAX_STATEMENTS
    this.#statements[slot] = use
    this.#counts[slot] = 1
    this.#last = slot
    return 1
  }
}
