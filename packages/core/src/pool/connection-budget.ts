import { InvalidOptionError } from '../invalid-option-error.ts'

/** The part of a pool that shares a budget with other pools. */
export interface BudgetMember {
  /** Open, opening and closing connections: each takes a slot. */
  readonly total: number
  /** Those of them that are closing. */
  readonly closing: number
  /** How many connections more the pool would open for callers that wait. */
  readonly missing: number
  /** When the caller that waits longest began to wait; Infinity if none waits. */
  readonly waitingSince: number
  /** Since when the connection that is idle longest is idle; Infinity if none is. */
  readonly idleSince: number
  closeLongestIdle(): void
  /** Opens connections for callers that wait, if the budget admits it. */
  serve(): void
}

/**
 * One maximum for several pools of a process, whatever their databases and users. Connections go where callers wait: an idle
 * connection of one pool is closed for a caller of another one, and so is a released one if that caller has waited longer than those of its own pool.
 */
export class ConnectionBudget {
  readonly name: string
  #max: number
  /** Pools that have connections or callers that wait. */
  readonly #members = new Set<BudgetMember>()

  /** @throws {InvalidOptionError} if `max` is not a whole number from 1. */
  constructor(name: string, max: number) {
    this.name = name
    this.#max = validMax(max)
  }

  /** How many connections all pools together may have. */
  get max(): number {
    return this.#max
  }

  /** Connections that are open, being opened, or being closed. */
  get used(): number {
    return this.#sum(({ total }) => total)
  }

  /** How many pools have connections or callers that wait. */
  get pools(): number {
    return this.#members.size
  }

  /** @throws {InvalidOptionError} if `max` is not a whole number from 1. */
  resize(max: number): void {
    this.#max = validMax(max)
    for (let surplus = this.#surplus; surplus > 0 && this.#closeLongestIdle(); surplus = this.#surplus);
    this.#serve()
  }

  /**
   * @internal Whether a pool may open one connection more. The caller that has waited longest is first. If there is no room, an idle
   * connection of another pool is closed.
   */
  admits(member: BudgetMember): boolean {
    this.#members.add(member)
    const free = this.#max - this.used
    if (free > this.#missingBefore(member.waitingSince, member)) return true
    if (this.#sum(({ closing }) => closing) < this.#sum(({ missing }) => missing)) this.#closeLongestIdle()
    return false
  }

  /**
   * @internal Whether a pool should close a connection that it could lend or keep.
   *
   * @param waitingSince when the pool's own caller began to wait; Infinity if none waits.
   */
  claims(member: BudgetMember, waitingSince: number): boolean {
    if (this.#surplus > 0) return true
    const missing = this.#missingBefore(waitingSince, member)
    return missing > 0 && missing > this.#max - this.used + this.#sum(({ closing }) => closing)
  }

  /** @internal A pool has a connection less. */
  onReduced(member: BudgetMember): void {
    if (member.total === 0 && member.waitingSince === Infinity) this.#members.delete(member)
    this.#serve()
  }

  /** Connections above the maximum, without those that are closing. */
  get #surplus(): number {
    return this.#sum(({ total, closing }) => total - closing) - this.#max
  }

  #serve(): void {
    const waiting = [...this.#members].filter(({ missing }) => missing > 0)
    for (const member of waiting.sort((a, b) => a.waitingSince - b.waitingSince)) {
      if (this.used >= this.#max) break
      member.serve()
    }
  }

  /** Connections that other pools need for callers that have waited longer. */
  #missingBefore(waitingSince: number, member: BudgetMember): number {
    return this.#sum((other) => (other !== member && other.waitingSince < waitingSince ? other.missing : 0))
  }

  #closeLongestIdle(): boolean {
    let longest: BudgetMember | undefined
    for (const member of this.#members) if (member.idleSince < (longest?.idleSince ?? Infinity)) longest = member
    longest?.closeLongestIdle()
    return longest !== undefined
  }

  #sum(read: (member: BudgetMember) => number): number {
    let sum = 0
    for (const member of this.#members) sum += read(member)
    return sum
  }
}

function validMax(max: number): number {
  if (Number.isSafeInteger(max) && max >= 1) return max
  throw new InvalidOptionError(
    'max',
    max,
    'a whole number from 1: the connections that all pools of the budget may have together',
  )
}
