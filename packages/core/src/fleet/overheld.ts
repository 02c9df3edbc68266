import type { Reckoned } from './reckon.ts'

interface Holding {
  readonly since: number
  /** The fewest connections that it had in that time. */
  readonly least: number
  /** It has not given anything back for long enough. */
  readonly isKept: boolean
}

/**
 * Members that have more connections than their share, and do not give them back. Their connections are in use, as those of
 * nobody's are, so that the other members leave the headroom free beside them.
 */
export class Overheld {
  #holdings = new Map<string, Holding>()

  get names(): ReadonlySet<string> {
    return new Set([...this.#holdings].flatMap(([name, { isKept }]) => (isKept ? [name] : [])))
  }

  forget(): void {
    this.#holdings.clear()
  }

  note(others: readonly Reckoned[], now: number, patienceMillis: number): void {
    const holdings = new Map<string, Holding>()
    for (const { member, share, claim } of others) {
      // Of connections of another role some may be parallel workers.
      const open = Math.min(member.open, claim)
      const before = this.#holdings.get(member.name)
      if (before?.isKept && open >= before.least) holdings.set(member.name, before)
      else if (open > share) {
        const continues = before !== undefined && open >= before.least
        const since = continues ? before.since : now
        const least = continues ? before.least : open
        holdings.set(member.name, { since, least, isKept: now - since >= patienceMillis })
      }
    }
    this.#holdings = holdings
  }
}
