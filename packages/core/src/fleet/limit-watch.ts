import type { Clock } from '../clock.ts'
import type { Member } from './fleet-view.ts'
import type { Publication } from './member-name.ts'
import { Overheld } from './overheld.ts'
import { type Doubts, NO_DOUBTS, type Reckoned, type Reckoning } from './reckon.ts'

/** An instance may leave reserved connections unused for this many intervals; a real one uses them within one interval. */
const UNUSED_INTERVALS = 3
/** After a longer pause between two exchanges, the observations start over. */
const CONTINUOUS_INTERVALS = 2
/** Retries back off by a factor of 2 up to this one. */
const MAX_BACKOFF = 64

/** Why the figures of an instance are not trusted. */
export interface Doubt {
  readonly kind: 'unused' | 'overclaimed' | 'impersonated'
  /** `app#id`. */
  readonly member: string
  /** Undefined if the server does not show the role. */
  readonly role: string | undefined
  /** Its open connections. */
  readonly open: number
  /** The connections that it claims. */
  readonly claimed: number
}

export interface LimitWatchOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly intervalMillis: number
  readonly onDoubt: (doubt: Doubt) => void
}

/** The observations of one instance. */
interface Observation {
  /** Since when connections have been reserved for it that it does not use, although it could. */
  unusedSince: number | undefined
  /** Its maximum of open connections in that time. */
  peak: number
  /** The last time that it left its reserved connections unused. */
  lapse: Lapse | undefined
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

/**
 * Watches the instances under one limit. The figures of an instance are unverified: any client that can name a connection can
 * claim any number. But a real instance opens the connections that it claims. So if an instance leaves reserved connections unused
 * for {@link UNUSED_INTERVALS}, only the connections that it had are reserved for it, until it opens more. If it publishes
 * new figures, they are trusted for a trial; the time until then doubles with each failed trial.
 *
 * A claim above its instance's share normally lasts only until that instance's next exchange. If every exchange shows such
 * claims for that long, by any instance, they no longer count.
 */
export class LimitWatch {
  readonly #options: LimitWatchOptions
  #observations = new Map<string, Observation>()
  #awaitedSince = new Map<string, number>()
  readonly #overheld = new Overheld()
  #overclaimedSince: number | undefined
  #observedAt = -Infinity
  #doubts = NO_DOUBTS

  constructor(options: LimitWatchOptions) {
    this.#options = options
  }

  get doubts(): Doubts {
    return this.#doubts
  }

  /**
   * Records the result of an exchange.
   *
   * @param awaited instances that are about to connect to PgBouncer's console.
   * @returns whether the doubts have changed.
   */
  observe(reckoning: Reckoning, awaited: readonly string[]): boolean {
    const now = this.#options.clock.now()
    if (now - this.#observedAt > CONTINUOUS_INTERVALS * this.#options.intervalMillis) this.#startOver()
    this.#observedAt = now
    const before = this.#doubts
    this.#observeMembers(reckoning, now)
    this.#observeClaims(reckoning, now)
    this.#observeAwaited(awaited, now)
    this.#overheld.note(reckoning.others, now, this.#toleranceMillis)
    const after = {
      caps: this.#caps(),
      limitClaims: this.#isOver(this.#overclaimedSince, now),
      keepers: this.#overheld.names,
      overdue: [...this.#awaitedSince.values()].filter((since) => this.#isOver(since, now)).length,
    }
    this.#doubts = after
    return !isSame(before, after)
  }

  get #toleranceMillis(): number {
    return UNUSED_INTERVALS * this.#options.intervalMillis
  }

  #isOver(since: number | undefined, now: number): boolean {
    return since !== undefined && now - since >= this.#toleranceMillis
  }

  #startOver(): void {
    for (const observation of this.#observations.values()) observation.unusedSince = undefined
    this.#awaitedSince.clear()
    this.#overheld.forget()
    this.#overclaimedSince = undefined
  }

  #caps(): Map<string, number> {
    const caps = new Map<string, number>()
    for (const [name, { lapse }] of this.#observations) if (lapse && !lapse.onTrial) caps.set(name, lapse.most)
    return caps
  }

  /** Drops instances that have left or have no relevant observation. */
  #observeMembers({ others, unclaimed }: Reckoning, now: number): void {
    const observations = new Map<string, Observation>()
    for (const reckoned of others) {
      const { name } = reckoned.member
      const observation = this.#observe(this.#observations.get(name), reckoned, unclaimed, now)
      if (observation) observations.set(name, observation)
    }
    this.#observations = observations
  }

  #observe(
    before: Observation | undefined,
    { member, claim, share }: Reckoned,
    unclaimed: number,
    now: number,
  ): Observation | undefined {
    const { open, publication } = member
    const kept = Math.max(claim, share)
    const lapse = before?.lapse && open <= before.lapse.most ? startTrial(before.lapse, publication, now) : undefined
    const isUnused = publication !== undefined && kept > open && (claim > open || unclaimed > 0)
    if (!isUnused) return lapse && { unusedSince: undefined, peak: open, lapse }
    const since = before?.unusedSince ?? now
    const peak = before?.unusedSince === undefined ? open : Math.max(before.peak, open)
    if (!this.#isOver(since, now)) return { unusedSince: since, peak, lapse }
    this.#report('unused', member, kept)
    const waits = Math.min(MAX_BACKOFF, 2 * (lapse?.waits ?? 1 / 2))
    const retryAt = now + waits * this.#toleranceMillis
    const { sequence } = publication
    return { unusedSince: undefined, peak, lapse: { most: peak, sequence, retryAt, waits, onTrial: false } }
  }

  #observeClaims({ others }: Reckoning, now: number): void {
    const over = others.find(({ member, share }) => member.claim > Math.max(member.open, share))?.member
    if (!over) this.#overclaimedSince = undefined
    else this.#overclaimedSince ??= now
    if (over && this.#isOver(this.#overclaimedSince, now)) this.#report('overclaimed', over, over.claim)
  }

  #observeAwaited(awaited: readonly string[], now: number): void {
    this.#awaitedSince = new Map(awaited.map((name) => [name, this.#awaitedSince.get(name) ?? now]))
  }

  #report(kind: Doubt['kind'], { name, role, open }: Member, claimed: number): void {
    this.#options.onDoubt({ kind, member: name, role, open, claimed })
  }
}

/** Trusts an instance for a trial if it has published new figures and the retry is due. */
function startTrial(lapse: Lapse, publication: Publication | undefined, now: number): Lapse {
  if (lapse.onTrial || now < lapse.retryAt || publication?.sequence === lapse.sequence) return lapse
  return { ...lapse, onTrial: true }
}

function isSame(a: Doubts, b: Doubts): boolean {
  return (
    a.limitClaims === b.limitClaims &&
    a.overdue === b.overdue &&
    a.caps.size === b.caps.size &&
    [...a.caps].every(([name, cap]) => b.caps.get(name) === cap) &&
    a.keepers.size === b.keepers.size &&
    [...a.keepers].every((name) => b.keepers.has(name))
  )
}
