import type { ServerPosition } from './server-position.ts'
import { isComparable, type WalPosition } from './wal-position.ts'

/** At most this many positions are kept; the older half is then thinned out. */
const MAX_ENTRIES = 512

interface Entry {
  readonly lsn: bigint
  readonly at: number
}

/**
 * What the primary had written at which time. The lag of a standby is the age of the first position that it has not replayed: an idle primary
 * causes no lag, clocks need not agree, and a standby that the primary cannot reach is not taken for one that is up to date.
 */
export class PrimaryHistory {
  #last: WalPosition | undefined
  /** In chronological order, without positions that repeat the one before. */
  #entries: Entry[] = []

  /** @param at when the pool asked the primary: its position is at least as old. */
  add({ position }: ServerPosition, at: number): void {
    if (!position) return
    const last = this.#last
    this.#last = position
    if (last && (!isComparable(last, position) || position.lsn < last.lsn)) this.#entries = []
    if (this.#entries.at(-1)?.lsn === position.lsn) return
    this.#entries.push({ lsn: position.lsn, at })
    if (this.#entries.length > MAX_ENTRIES) this.#entries = thinned(this.#entries)
  }

  /** The last position of the primary; undefined as long as it is not known. */
  get last(): WalPosition | undefined {
    return this.#last
  }

  /**
   * How far behind a standby is. A standby that follows a new timeline reports it late, so that only its LSN counts.
   *
   * @returns undefined if it cannot be known.
   */
  lagMillis({ position, replayedAgoMillis }: ServerPosition, now: number): number | undefined {
    const [first] = this.#entries
    if (!position || !first || position.systemId !== this.#last?.systemId) return undefined
    const missing = firstMissing(this.#entries, position)
    if (!missing) return 0
    const lag = now - missing.at
    // It lacks what was written before the first question. How long before, only the servers' clocks tell.
    return missing === first && replayedAgoMillis !== undefined ? Math.max(lag, replayedAgoMillis) : lag
  }
}

/** The younger half as it is, and the older half with every other position, the first one included. */
function thinned(entries: readonly Entry[]): Entry[] {
  return entries.filter((_entry, index) => index % 2 === 0 || index > entries.length / 2)
}

function firstMissing(entries: readonly Entry[], { lsn }: WalPosition): Entry | undefined {
  return entries.find((entry) => entry.lsn > lsn)
}
