import type { Reckoned } from './reckon.ts'

interface Holding {
  readonly since: number
  /** Its minimum of open connections in that time. */
  readonly least: number
  /** It has not given connections back for too long. */
  readonly isKept: boolean
}

/**
 * Tracks instances that hold more connections than their share and do not give them back. These connections count as in use, like
 * those that belong to no instance, so that other instances leave the headroom free in addition.
 */
export class Overheld {
  #holdings = new Map<string, Holding>()

  get names(): ReadonlySet<string> {
    return new Set([...this.#holdings].flatMap(([name, { isKept }]) => (isKept ? [name] : [])))
  }

  forget(): void {
    this.#holdings.clear()
  }

  note(others: readonly Reckoned[], now: number, toleranceMillis: number): void {
    const holdings = new Map<string, Holding>()
    for (const { member, share, claim } of others) {
      // Connections of another role may include parallel workers.
      const open = Math.min(member.open, claim)
      const before = this.#holdings.get(member.name)
      if (before?.isKept && open >= before.least) holdings.set(member.name, before)
      else if (open > share) {
        const continues = before !== undefined && open >= before.least
        const since = continues ? before.since : now
        const least = continues ? before.least : open
        holdings.set(member.name, { since, least, isKept: now - since >= toleranceMillis })
      }
    }
    this.#holdings = holdings
  }
}
