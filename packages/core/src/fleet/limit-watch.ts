import type { Clock } from '../clock.ts'
import type { Member } from './fleet-view.ts'
import { Overheld } from './overheld.ts'
import { type Doubts, NO_DOUBTS, type Reckoned, type Reckoning } from './reckon.ts'
import { sum } from './share-out.ts'
import { CLAIM_GAP_INTERVALS } from './unused-claim.ts'
import { UsageWatch } from './usage-watch.ts'

/** An instance may leave reserved connections unused for this many intervals. A real one does not: see {@link UnusedClaim}. */
const UNUSED_INTERVALS = 3
/** After a longer pause between two exchanges, the observations start over. */
const CONTINUOUS_INTERVALS = 2
/** Claims far above the shares may last this many intervals: enough for several real instances in turn. */
const OVERCLAIMED_INTERVALS = 6
/** Claims are far above the shares if together they exceed them by this part of the connections to share. */
const OVERCLAIMED_PART = 1 / 2

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

/**
 * Watches the instances under one limit. The figures of an instance are unverified: any client that can name a connection can
 * claim any number. But a real instance opens the connections that it claims. So if an instance leaves reserved connections unused
 * for {@link UNUSED_INTERVALS}, only the connections that it had are reserved for it.
 *
 * Claims and reservations for demand are watched separately: a real instance counts on its claim, but opens
 * nothing that is only reserved.
 *
 * A claim above its instance's share normally lasts only until that instance's next exchange. A client that changes its name with each
 * such claim is a new instance each time, so claims of that kind stop counting when there are always some, far above the shares.
 */
export class LimitWatch {
  readonly #options: LimitWatchOptions
  readonly #claims: UsageWatch
  readonly #reservations: UsageWatch
  #awaitedSince = new Map<string, number>()
  readonly #overheld = new Overheld()
  #overclaimedSince: number | undefined
  #observedAt = -Infinity
  #doubts = NO_DOUBTS

  constructor(options: LimitWatchOptions) {
    this.#options = options
    const toleranceMillis = this.#toleranceMillis
    this.#claims = new UsageWatch({ toleranceMillis, gapMillis: CLAIM_GAP_INTERVALS * options.intervalMillis })
    this.#reservations = new UsageWatch({ toleranceMillis, gapMillis: CONTINUOUS_INTERVALS * options.intervalMillis })
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
    this.#observeUsage(reckoning, now)
    const limitClaims = this.#observeOverclaims(reckoning, now)
    this.#awaitedSince = new Map(awaited.map((name) => [name, this.#awaitedSince.get(name) ?? now]))
    this.#overheld.note(reckoning.others, now, this.#toleranceMillis)
    const after = {
      claimCaps: this.#claims.caps,
      requestCaps: this.#reservations.caps,
      limitClaims,
      keepers: this.#overheld.names,
      overdue: [...this.#awaitedSince.values()].filter((since) => now - since >= this.#toleranceMillis).length,
    }
    this.#doubts = after
    return !isSame(before, after)
  }

  get #toleranceMillis(): number {
    return UNUSED_INTERVALS * this.#options.intervalMillis
  }

  #startOver(): void {
    this.#awaitedSince.clear()
    this.#overheld.forget()
    this.#overclaimedSince = undefined
  }

  #observeUsage({ others, unclaimed }: Reckoning, now: number): void {
    const observe = (watch: UsageWatch, isUnused: (each: Reckoned) => boolean) => {
      const usages = others.map((each) => ({ ...each.member, isUnused: isUnused(each) }))
      return watch.observe(usages, now)
    }
    const isClaimUnused = ({ member, claim }: Reckoned) => claim > member.open
    const lapsed = new Set([
      ...observe(this.#claims, isClaimUnused),
      ...observe(this.#reservations, (each) => {
        return isClaimUnused(each) || (each.share > each.member.open && unclaimed > 0)
      }),
    ])
    for (const { member, claim, share } of others) {
      if (lapsed.has(member.name)) this.#report('unused', member, Math.max(claim, share))
    }
  }

  #observeOverclaims({ others, budget }: Reckoning, now: number): boolean {
    const excessOf = ({ member, share }: Reckoned) => Math.max(0, member.claim - Math.max(member.open, share))
    const [most] = others.toSorted((a, b) => excessOf(b) - excessOf(a))
    if (!most || sum(others.map(excessOf)) < budget * OVERCLAIMED_PART) this.#overclaimedSince = undefined
    else this.#overclaimedSince ??= now
    const since = this.#overclaimedSince
    if (!most || since === undefined) return false
    const isOver = now - since >= OVERCLAIMED_INTERVALS * this.#options.intervalMillis
    if (isOver) this.#report('overclaimed', most.member, most.member.claim)
    return isOver
  }

  #report(kind: Doubt['kind'], { name, role, open }: Member, claimed: number): void {
    this.#options.onDoubt({ kind, member: name, role, open, claimed })
  }
}

function isSame(a: Doubts, b: Doubts): boolean {
  return (
    a.limitClaims === b.limitClaims &&
    a.overdue === b.overdue &&
    hasSameCaps(a.claimCaps, b.claimCaps) &&
    hasSameCaps(a.requestCaps, b.requestCaps) &&
    a.keepers.size === b.keepers.size &&
    [...a.keepers].every((name) => b.keepers.has(name))
  )
}

function hasSameCaps(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([name, cap]) => b.get(name) === cap)
}
