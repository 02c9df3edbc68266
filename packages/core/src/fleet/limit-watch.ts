import type { Clock } from '../clock.ts'
import type { Member } from './fleet-view.ts'
import type { Publication } from './member-name.ts'
import { Overheld } from './overheld.ts'
import { type Doubts, NO_DOUBTS, type Reckoned, type Reckoning } from './reckon.ts'

/** For so many intervals room is kept that is not used: an honest member that waits for it looks within one. */
const PATIENCE_INTERVALS = 3
/** With a longer pause between two looks, what happened in between is not known. */
const CONTINUOUS_INTERVALS = 2
/** Each further trial comes later by the factor 2, up to this one. */
const MAX_BACKOFF = 64

/** Why a member's figures are not believed. */
export interface Doubt {
  readonly kind: 'unused' | 'overclaimed' | 'impersonated'
  /** `app#id`. */
  readonly member: string
  /** Undefined where the server does not tell. */
  readonly role: string | undefined
  /** Connections that it has. */
  readonly open: number
  /** Connections that it claimed. */
  readonly claimed: number
}

export interface LimitWatchOptions {
  readonly clock: Pick<Clock, 'now'>
  readonly intervalMillis: number
  readonly onDoubt: (doubt: Doubt) => void
}

/** What is remembered of one member. */
interface Experience {
  /** Since when room has been kept for it that it does not use, though nothing keeps it from doing so. */
  unusedSince: number | undefined
  /** The most connections that it had in that time. */
  peak: number
  /** The last time that it did not use what was kept for it. */
  lapse: Lapse | undefined
}

interface Lapse {
  /** The most connections that it had. With more, all is forgotten. */
  readonly most: number
  /** Of what it told then. */
  readonly sequence: number
  readonly retryAt: number
  readonly waits: number
  /** Whether it is believed again meanwhile, for a trial. */
  readonly onTrial: boolean
}

/**
 * Watches the members under one limit. The figures of a member are its own words, so that anybody who can name a connection
 * can claim anything; but an honest member opens what it claims. So a member that is given room and does not use it for
 * {@link PATIENCE_INTERVALS} is believed no more than the connections it had, until it opens more. A member that tells
 * something new is tried again, after a time that doubles with each vain trial.
 *
 * Claims of more than a share are another matter: they only last until their member looks next. Where there are such claims
 * at every look, whoever makes them, they count no longer.
 */
export class LimitWatch {
  readonly #options: LimitWatchOptions
  #experiences = new Map<string, Experience>()
  #awaitedSince = new Map<string, number>()
  readonly #overheld = new Overheld()
  #overclaimedSince: number | undefined
  #lookedAt = -Infinity
  #doubts = NO_DOUBTS

  constructor(options: LimitWatchOptions) {
    this.#options = options
  }

  get doubts(): Doubts {
    return this.#doubts
  }

  /**
   * Notes what a look has shown.
   *
   * @param awaited members whose connections to the pooler's console are expected.
   * @returns whether the doubts have changed.
   */
  look(reckoning: Reckoning, awaited: readonly string[]): boolean {
    const now = this.#options.clock.now()
    if (now - this.#lookedAt > CONTINUOUS_INTERVALS * this.#options.intervalMillis) this.#beginAnew()
    this.#lookedAt = now
    const before = this.#doubts
    this.#noteMembers(reckoning, now)
    this.#noteClaims(reckoning, now)
    this.#noteAwaited(awaited, now)
    this.#overheld.note(reckoning.others, now, this.#patienceMillis)
    const after = {
      caps: this.#caps(),
      limitClaims: this.#isOver(this.#overclaimedSince, now),
      keepers: this.#overheld.names,
      overdue: [...this.#awaitedSince.values()].filter((since) => this.#isOver(since, now)).length,
    }
    this.#doubts = after
    return !isSame(before, after)
  }

  get #patienceMillis(): number {
    return PATIENCE_INTERVALS * this.#options.intervalMillis
  }

  #isOver(since: number | undefined, now: number): boolean {
    return since !== undefined && now - since >= this.#patienceMillis
  }

  #beginAnew(): void {
    for (const experience of this.#experiences.values()) experience.unusedSince = undefined
    this.#awaitedSince.clear()
    this.#overheld.forget()
    this.#overclaimedSince = undefined
  }

  #caps(): Map<string, number> {
    const caps = new Map<string, number>()
    for (const [name, { lapse }] of this.#experiences) if (lapse && !lapse.onTrial) caps.set(name, lapse.most)
    return caps
  }

  /** Members that are gone, or have nothing to be remembered for, are forgotten. */
  #noteMembers({ others, unclaimed }: Reckoning, now: number): void {
    const experiences = new Map<string, Experience>()
    for (const reckoned of others) {
      const { name } = reckoned.member
      const experience = this.#note(this.#experiences.get(name), reckoned, unclaimed, now)
      if (experience) experiences.set(name, experience)
    }
    this.#experiences = experiences
  }

  #note(
    before: Experience | undefined,
    { member, claim, share }: Reckoned,
    unclaimed: number,
    now: number,
  ): Experience | undefined {
    const { open, publication } = member
    const kept = Math.max(claim, share)
    const lapse = before?.lapse && open <= before.lapse.most ? tried(before.lapse, publication, now) : undefined
    const isUnused = publication !== undefined && kept > open && (claim > open || unclaimed > 0)
    if (!isUnused) return lapse && { unusedSince: undefined, peak: open, lapse }
    const since = before?.unusedSince ?? now
    const peak = before?.unusedSince === undefined ? open : Math.max(before.peak, open)
    if (!this.#isOver(since, now)) return { unusedSince: since, peak, lapse }
    this.#tell('unused', member, kept)
    const waits = Math.min(MAX_BACKOFF, 2 * (lapse?.waits ?? 1 / 2))
    const retryAt = now + waits * this.#patienceMillis
    const { sequence } = publication
    return { unusedSince: undefined, peak, lapse: { most: peak, sequence, retryAt, waits, onTrial: false } }
  }

  #noteClaims({ others }: Reckoning, now: number): void {
    const over = others.find(({ member, share }) => member.claim > Math.max(member.open, share))?.member
    if (!over) this.#overclaimedSince = undefined
    else this.#overclaimedSince ??= now
    if (over && this.#isOver(this.#overclaimedSince, now)) this.#tell('overclaimed', over, over.claim)
  }

  #noteAwaited(awaited: readonly string[], now: number): void {
    this.#awaitedSince = new Map(awaited.map((name) => [name, this.#awaitedSince.get(name) ?? now]))
  }

  #tell(kind: Doubt['kind'], { name, role, open }: Member, claimed: number): void {
    this.#options.onDoubt({ kind, member: name, role, open, claimed })
  }
}

/** A member that tells something new is believed again when it is time for a trial. */
function tried(lapse: Lapse, publication: Publication | undefined, now: number): Lapse {
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
