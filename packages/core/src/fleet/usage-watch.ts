import type { Publication } from './member-name.ts'

/** Retries back off by a factor of 2 up to this one. */
const MAX_BACKOFF = 64

/** One look at the connections of an instance. */
export interface Usage {
  readonly name: string
  readonly open: number
  /** Whether connections are set aside for it that it has not opened, although it could. */
  readonly isUnused: boolean
  readonly publication: Publication | undefined
}

/** The observations of one instance. */
interface Observation {
  /** Since when connections have been set aside for it that it does not use. */
  readonly unusedSince: number | undefined
  /** Its maximum of open connections in that time. */
  readonly peak: number
  /** The last time that it left them unused for too long. */
  readonly lapse: Lapse | undefined
}

interface Lapse {
  /** Its maximum of open connections then. If it opens more, the lapse is forgotten. */
  readonly most: number
  /** Sequence of its publication then. */
  readonly sequence: number
  readonly retryAt: number
  readonly waits: number
  /** Whether its figures are trusted again for a trial. */
  readonly onTrial: boolean
}

export interface UsageWatchOptions {
  /** How long connections may be unused. */
  readonly toleranceMillis: number
  /** After a longer pause between two looks, the observations start over. */
  readonly gapMillis: number
}

/**
 * Watches whether instances open the connections that are set aside for them. Only the connections that an instance had count as set
 * aside after it has left some unused for the whole tolerance, until it opens more. New figures are trusted for a trial: the first time
 * at once, because an instance that was suspended publishes them when it runs again; after that, the time until the next trial
 * doubles with each failed one.
 */
export class UsageWatch {
  readonly #options: UsageWatchOptions
  #observations = new Map<string, Observation>()
  #observedAt = -Infinity

  constructor(options: UsageWatchOptions) {
    this.#options = options
  }

  /** By name: the maximum that counts, for instances that left more than that unused. */
  get caps(): ReadonlyMap<string, number> {
    const caps = new Map<string, number>()
    for (const [name, { lapse }] of this.#observations) if (lapse && !lapse.onTrial) caps.set(name, lapse.most)
    return caps
  }

  /**
   * Records a look at all instances, and forgets those that have left.
   *
   * @returns the names of those that have left connections unused for too long.
   */
  observe(usages: readonly Usage[], now: number): string[] {
    const isContinuous = now - this.#observedAt <= this.#options.gapMillis
    this.#observedAt = now
    const observations = new Map<string, Observation>()
    const lapsed: string[] = []
    for (const usage of usages) {
      const known = this.#observations.get(usage.name)
      const before = known && !isContinuous ? { ...known, unusedSince: undefined } : known
      const after = this.#observe(before, usage, now)
      if (!after) continue
      observations.set(usage.name, after)
      if (after.lapse && !after.lapse.onTrial && after.lapse.retryAt !== before?.lapse?.retryAt) lapsed.push(usage.name)
    }
    this.#observations = observations
    return lapsed
  }

  #observe(
    before: Observation | undefined,
    { open, isUnused, publication }: Usage,
    now: number,
  ): Observation | undefined {
    const lapse = before?.lapse && open <= before.lapse.most ? startTrial(before.lapse, publication, now) : undefined
    if (!isUnused || !publication) return lapse && { unusedSince: undefined, peak: open, lapse }
    // An instance that has opened more since the last look uses what is set aside for it.
    const since = before?.unusedSince !== undefined && open <= before.peak ? before.unusedSince : now
    const peak = since === now ? open : (before as Observation).peak
    const { toleranceMillis } = this.#options
    if (now - since < toleranceMillis) return { unusedSince: since, peak, lapse }
    const waits = lapse ? Math.min(MAX_BACKOFF, Math.max(1, 2 * lapse.waits)) : 0
    const retryAt = now + waits * toleranceMillis
    const { sequence } = publication
    return { unusedSince: undefined, peak, lapse: { most: peak, sequence, retryAt, waits, onTrial: false } }
  }
}

/** Trusts an instance for a trial if it has published new figures and the retry is due. */
function startTrial(lapse: Lapse, publication: Publication | undefined, now: number): Lapse {
  if (lapse.onTrial || now < lapse.retryAt || publication?.sequence === lapse.sequence) return lapse
  return { ...lapse, onTrial: true }
}
