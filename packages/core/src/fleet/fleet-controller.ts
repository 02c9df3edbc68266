import type { Clock } from '../clock.ts'
import { ClaimWatch } from './claim-watch.ts'
import { DemandWindow } from './demand-window.ts'
import type { FleetView } from './fleet-view.ts'
import type { Doubt } from './limit-watch.ts'
import { LookTimer, PULSES } from './look-timer.ts'
import { encodeMemberName, isLater, LARGEST, type Publication } from './member-name.ts'
import { type FleetShare, type Judge, settleShare } from './settle-share.ts'

/** What a {@link FleetController} needs of its pool. */
export interface FleetPort {
  /** Connections in use, and callers that wait for one; not the look's own. */
  demand(): number
  /** Slots taken: connections that are open, being opened, or being closed. */
  held(): number
  /** Of those, the ones that are not being closed. */
  open(): number
  /** What the user has set as bounds. */
  bounds(): { readonly min: number; readonly max: number }
  /**
   * Looks at the database on one of the pool's connections, while no other instance does, and publishes the name that
   * `decide` gives. Resolves when that stands, and rejects when it may not stand. Where it is `urgent` and no connection
   * comes free, it may open one more, out of the headroom.
   */
  exchange(decide: (view: FleetView) => string, how: { readonly urgent: boolean }): Promise<void>
  /** From now on the pool may have so many connections, and no more. */
  adopt(max: number, share: FleetShare | undefined): void
  /** A look has failed. */
  failed(error: unknown): void
}

export interface FleetControllerOptions {
  /** `app#id`. */
  readonly member: string
  readonly intervalMillis: number
  /** Connections to be left free; undefined for the default. */
  readonly headroom: number | undefined
  readonly port: FleetPort
  readonly clock: Clock
  /** Between 0 and 1, as Math.random. */
  readonly random: () => number
  /** What another member claims is not believed. Told at every look that confirms it. */
  readonly onDoubt?: (doubt: Doubt) => void
}

/**
 * Keeps one instance to its part of a fleet's budget.
 *
 * What it has published is a promise: it holds and opens no more than that. So it publishes more before it opens more, and
 * has closed connections before it publishes less; and when the connection that carries its publication is lost, it opens
 * none until it has published again. Every step up is made under the fleets' lock and ends at what the others' promises
 * leave free.
 *
 * It looks once in an interval; at once when a caller needs more than it has told, or the server has said that it is full;
 * soon while it waits for what others are to give back, or has something to give back; and not at all while it has no more
 * than its floor and wants no more.
 */
export class FleetController {
  readonly #options: FleetControllerOptions
  /** What it may have. */
  #max = 1
  #share: FleetShare | undefined
  /** What the last look has shown: see {@link FleetView}. */
  #servedAtOnce = Infinity
  /** What stands on a connection that is open. */
  #published: Publication | undefined
  #sequence = 0
  /** What was wanted in the last interval. */
  readonly #wanted = new DemandWindow(PULSES)
  #joined = false
  #joinedAt = -Infinity
  #looking: Promise<void> | undefined
  #pulsesToLook = 0
  readonly #timer: LookTimer
  readonly #claims: ClaimWatch
  readonly #onDoubt: (doubt: Doubt) => void

  constructor(options: FleetControllerOptions) {
    this.#options = options
    const { intervalMillis, clock, random, onDoubt = () => {} } = options
    this.#onDoubt = onDoubt
    this.#claims = new ClaimWatch({ clock, intervalMillis, onDoubt })
    const pulse = () => this.#pulse()
    // No connection is opened only to look.
    const look = () => {
      if (options.port.open() + options.port.demand() > 0) void this.#look()
    }
    this.#timer = new LookTimer({ intervalMillis, clock, random, pulse, look })
  }

  /** What it has worked out last; undefined where it is no member. */
  get share(): FleetShare | undefined {
    return this.#share
  }

  /** What it has published; undefined where nothing stands. */
  get published(): Publication | undefined {
    return this.#published
  }

  /** Takes part from now on. Resolves when the first look is over, be it in vain; rejects never. */
  join(): Promise<void> {
    if (!this.#joined) this.#joinedAt = this.#options.clock.now()
    this.#joined = true
    return this.#look()
  }

  /** Takes no part any more, and publishes nothing: for the others it is a member until its connections are gone. */
  leave(): void {
    this.#joined = false
    this.#published = undefined
    this.#share = undefined
    this.#max = 1
    this.#servedAtOnce = Infinity
    this.#timer.rest()
  }

  /** The user has set other bounds. */
  rebound(): void {
    if (!this.#joined) return
    const [ceiling, share] = [this.#ceiling(), this.#share]
    // Beyond it there is nothing to wait for, either.
    const within = share && { ...share, entitlement: Math.min(share.entitlement, ceiling) }
    if (this.#max > ceiling) this.#adopt(ceiling, within)
    else this.#share = within
    if (this.#published) this.#lookSoon()
  }

  /** A caller comes, one more than the port knows of. This runs with every query. */
  asked(): void {
    const demand = this.#options.port.demand() + 1
    // Nothing new, and there is somebody to think of the rest.
    if (demand <= this.#wanted.current && this.#published && this.#timer.watching) return
    this.#wanted.note(demand)
    if (!this.#joined) return
    if (!this.#published || this.#wantsMoreThanTold()) this.#lookSoon({ atOnce: true })
    this.#watch()
  }

  /** It has a need that the others do not know of. Whoever holds all it may have may be waiting for one more of its own. */
  #wantsMoreThanTold(): boolean {
    return this.#demand() > this.#max && (this.#published?.demand ?? 0) <= this.#max
  }

  /** The server has turned us away: somebody has more than the last look has shown. */
  refused(): void {
    if (this.#published) this.#lookSoon()
  }

  /** A connection is there. */
  opened(): void {
    if (!this.#joined || this.#published) return
    this.#lookSoon()
    this.#watch()
  }

  /** The connection that carries the publication is closed, or lost. */
  unpublished(): void {
    if (!this.#published) return
    this.#published = undefined
    this.#stay()
  }

  /** A connection is gone. */
  closed(): void {
    if (!this.#joined) return
    if (this.#options.port.held() === 0) this.#left()
    else if (!this.#published) this.#stay()
  }

  /** Whoever has no connection is no member: what it had is the others'. */
  #left(): void {
    this.#published = undefined
    this.#timer.rest()
    this.#adopt(1, undefined)
  }

  /** Until it has published again, the others know no more of it than what they see. */
  #stay(): void {
    const { port } = this.#options
    this.#adopt(Math.max(1, Math.min(this.#max, port.held())), this.#share)
    if (port.open() === 0) return
    this.#lookSoon()
    this.#watch()
  }

  #watch(): void {
    if (this.#joined) this.#timer.watch()
  }

  #pulse(): void {
    const { port } = this.#options
    this.#pulsesToLook--
    if (this.#mustLook()) void this.#look()
    this.#wanted.next(port.demand())
    // Without a connection there is nothing to look through, and whoever comes asks again.
    if (port.open() + port.demand() > 0 && !this.#quiet()) this.#watch()
  }

  #mustLook(): boolean {
    const { port } = this.#options
    if (port.open() === 0 || this.#quiet()) return false
    if (this.#pulsesToLook <= 0 || !this.#published) return true
    const usesLess = this.#share?.contended === true && this.#demand() < this.#published.demand
    const hasLess = this.#published.target > Math.max(this.#max, port.held())
    return this.#waits() || this.#wantsMoreThanTold() || usesLess || hasLess
  }

  /** Others are to give back something for it. */
  #waits(): boolean {
    return this.#share !== undefined && this.#share.entitlement > this.#max
  }

  /** And it is there already. */
  #mayHaveMore(): boolean {
    return this.#share !== undefined && this.#waits() && this.#share.free > this.#max
  }

  /** It has nothing to give and wants nothing. */
  #quiet(): boolean {
    const floor = this.#floor()
    const told = this.#published
    return (
      told !== undefined &&
      Math.max(told.target, told.demand, this.#demand(), this.#options.port.held()) <= floor &&
      !this.#waits() &&
      !this.#looking
    )
  }

  /** @param atOnce before the caller who comes, where there was no look just now. */
  #lookSoon({ atOnce = false } = {}): void {
    if (this.#looking) return
    if (atOnce && this.#timer.distanceMillis === 0) void this.#look()
    else this.#timer.soon()
  }

  #look(): Promise<void> {
    const before = this.#published
    this.#looking ??= this.#exchange().finally(() => {
      this.#looking = undefined
      // Callers may have come while it was being told.
      if (this.#published && this.#published !== before && this.#wantsMoreThanTold()) this.#lookSoon()
    })
    return this.#looking
  }

  async #exchange(): Promise<void> {
    const { port, member } = this.#options
    this.#timer.looks()
    this.#pulsesToLook = PULSES
    let decided: { share: FleetShare; publication: Publication } | undefined
    try {
      const decide = (view: FleetView) => {
        decided = this.#decide(view)
        return encodeMemberName(member, decided.publication)
      }
      await port.exchange(decide, { urgent: this.#wantsMoreThanTold() || this.#mayHaveMore() })
      if (decided) this.#stands(decided)
    } catch (error) {
      this.#pulsesToLook = 1
      if (this.#joined) port.failed(error)
    } finally {
      this.#watch()
    }
  }

  #decide(view: FleetView): { share: FleetShare; publication: Publication } {
    const { member, headroom, intervalMillis, clock, port } = this.#options
    this.#servedAtOnce = view.servedAtOnce
    this.#outbid(view)
    const young = clock.now() - this.#joinedAt < intervalMillis
    const standing = {
      name: member,
      demand: this.#demand(),
      floor: this.#floor(),
      held: port.held(),
      target: this.#max,
    }
    const judge: Judge = (limit, reckon) => this.#claims.judge(limit, reckon)
    const share = settleShare(view, { ...standing, young, headroom }, judge)
    const target = Math.min(share.maxConnections, this.#ceiling())
    // Before it is told, so that it is true when it is told.
    if (target < this.#max) this.#adopt(target, share)
    const publication = {
      target: Math.max(target, port.held()),
      demand: standing.demand,
      floor: standing.floor,
      sequence: ++this.#sequence,
    }
    return { share: { ...share, maxConnections: target }, publication }
  }

  /** Another connection has published under this member's name: what this instance publishes must be later than that. */
  #outbid({ limits: [limit] }: FleetView): void {
    const { member } = this.#options
    const seen = limit?.members.find(({ name }) => name === member)
    if (!seen?.publication || !isLater(seen.publication, { sequence: this.#sequence })) return
    this.#sequence = seen.publication.sequence
    const { role, open, publication } = seen
    this.#onDoubt({ kind: 'impersonated', member, role, open, claimed: publication.target })
  }

  #stands({ share, publication }: { share: FleetShare; publication: Publication }): void {
    if (!this.#joined || this.#options.port.held() === 0) return
    this.#published = publication
    this.#adopt(share.maxConnections, share)
  }

  #adopt(max: number, share: FleetShare | undefined): void {
    this.#max = max
    this.#share = share
    this.#options.port.adopt(max, share)
  }

  #demand(): number {
    return Math.min(Math.max(this.#wanted.most, this.#options.port.demand()), this.#ceiling())
  }

  #floor(): number {
    return Math.min(Math.max(1, this.#options.port.bounds().min), this.#ceiling())
  }

  #ceiling(): number {
    return Math.max(1, Math.min(this.#options.port.bounds().max, this.#servedAtOnce, LARGEST))
  }
}
