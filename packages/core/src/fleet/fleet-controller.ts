import type { Clock } from '../clock.ts'
import { ClaimWatch } from './claim-watch.ts'
import { CHECKS_PER_INTERVAL, ExchangeTimer } from './exchange-timer.ts'
import type { FleetPart } from './fleet-part.ts'
import type { FleetView } from './fleet-view.ts'
import { InstanceNeeds, type NeedsPort } from './instance-needs.ts'
import type { Doubt } from './limit-watch.ts'
import { encodeMemberName, isLater, type Publication } from './member-name.ts'
import { type FleetShare, type Judge, settleShare } from './settle-share.ts'
import { UnusedClaim } from './unused-claim.ts'

/** The interface between a {@link FleetController} and its pool. */
export interface FleetPort extends NeedsPort {
  /** Slots taken: connections that are open, being opened, or being closed. */
  held(): number
  /** The part of `held` that is not being closed. */
  open(): number
  /** The part of `open` that is not being opened. */
  opened(): number
  /**
   * Reads the fleet's figures on one of the pool's connections while no other instance does, and publishes the name that
   * `decide` returns. Resolves when the name is published; rejects if it may not be. If `urgent` and no connection is available,
   * the pool may open one beyond its max, from the headroom.
   */
  exchange(decide: (view: FleetView) => string, how: { readonly urgent: boolean }): Promise<void>
  /** Sets the pool's max. */
  applyShare(max: number, share: FleetShare | undefined): void
  /** An exchange has failed. */
  onExchangeFailed(error: unknown): void
}

export interface FleetControllerOptions {
  /** `app#id`. */
  readonly member: string
  readonly intervalMillis: number
  /** Connections to leave free; undefined for the default. */
  readonly headroom: number | undefined
  readonly port: FleetPort
  readonly clock: Clock
  /** Returns a number between 0 and 1, like Math.random. */
  readonly random: () => number
  /** Its part in the fleet's adaptive limit, if it has one. */
  readonly part?: FleetPart | undefined
  /** Called when another instance's claim is not trusted, at each exchange that confirms it. */
  readonly onDoubt?: (doubt: Doubt) => void
}

/**
 * Keeps one instance within its share of a fleet's connections.
 *
 * The published figures are a promise: the instance never holds or opens more connections than it has published. Therefore it
 * publishes more before it opens more, and closes connections before it publishes less. If it loses the connection that
 * carries its publication, it opens none until it has published again. The promise has a term: other instances do not reserve
 * connections for long that this one does not open, so it gives them up before that, also if it was suspended meanwhile. Each
 * increase happens under the fleets' lock and is limited to the connections that the promises of other instances leave free.
 *
 * It exchanges figures once per interval; immediately when a caller needs more than it has published, or the server reports that
 * it is full; early while it waits for other instances to give connections back, or has connections to give back; and not at all
 * while it needs no more than its floor.
 */
export class FleetController {
  readonly #options: FleetControllerOptions
  /** The current max. */
  #max = 1
  #share: FleetShare | undefined
  /** The figures published on a connection that is open. */
  #published: Publication | undefined
  #sequence = 0
  readonly #needs: InstanceNeeds
  #joined = false
  #joinedAt = -Infinity
  #exchanging: Promise<void> | undefined
  #checksToExchange = 0
  readonly #timer: ExchangeTimer
  readonly #claims: ClaimWatch
  /** How long this instance has left a part of its own claim unused. */
  readonly #unused: UnusedClaim
  /** When it has last seen its connections on the server. */
  #lookedAt = -Infinity
  readonly #onDoubt: (doubt: Doubt) => void
  /** Of the next exchange of notices about the adaptive limit. */
  #cancelNotice: (() => void) | undefined

  constructor(options: FleetControllerOptions) {
    this.#options = options
    const { intervalMillis, clock, random, onDoubt = () => {} } = options
    this.#onDoubt = onDoubt
    this.#needs = new InstanceNeeds(options.port)
    this.#claims = new ClaimWatch({ clock, intervalMillis, onDoubt })
    this.#unused = new UnusedClaim(intervalMillis)
    const check = () => this.#check()
    // Do not open a connection only for an exchange.
    const exchange = () => {
      if (options.port.open() + options.port.demand() > 0) void this.#exchange()
    }
    this.#timer = new ExchangeTimer({ intervalMillis, clock, random, check, exchange })
  }

  /** The share of the last exchange; undefined while it has not joined. */
  get share(): FleetShare | undefined {
    return this.#share
  }

  /** The published figures; undefined if none are published. */
  get published(): Publication | undefined {
    return this.#published
  }

  // --- What happens to the pool --------------------------------------------------------------------------------------

  /** Joins the fleet. Resolves when the first exchange has finished or failed; never rejects. */
  join(): Promise<void> {
    if (!this.#joined) this.#joinedAt = this.#options.clock.now()
    this.#joined = true
    return this.#exchange()
  }

  /** Leaves the fleet and publishes nothing. Other instances count this one until its connections are closed. */
  leave(): void {
    this.#joined = false
    this.#published = undefined
    this.#share = undefined
    this.#max = 1
    this.#needs.forgetLimit()
    this.#timer.cancel()
    this.#cancelNotice?.()
    this.#options.part?.leave()
  }

  /** Call when the user has changed the bounds. */
  onResize(): void {
    if (!this.#joined) return
    const [{ ceiling }, share] = [this.#needs, this.#share]
    // The instance does not wait for connections beyond its ceiling.
    const within = share && { ...share, entitlement: Math.min(share.entitlement, ceiling) }
    if (this.#max > ceiling) this.#applyShare(ceiling, within)
    else this.#share = within
    if (this.#published) this.#scheduleExchange()
  }

  /** Call before each acquire; the port's demand does not include this caller yet. On the hot path of every query. */
  onAcquire(): void {
    this.#giveUpUnused()
    const demand = this.#options.port.demand() + 1
    const hasGrown = this.#needs.note(demand)
    if (!hasGrown && this.#published && this.#timer.isChecking) return
    if (!this.#joined) return
    if (!this.#published || this.#needsMoreThanPublished()) this.#scheduleExchange({ immediately: true })
    this.#scheduleCheck()
  }

  /**
   * Call when a connection could not be opened.
   *
   * @param isFull whether the server is full: instances or other clients hold more than this one knew.
   */
  onOpenFailed({ isFull }: { readonly isFull: boolean }): void {
    if (!this.#joined) return
    this.#giveUpUnused()
    if (this.#options.port.held() === 0) this.#leaveEmpty()
    else if (!this.#published) this.#applyShare(this.#visible, this.#share)
    else if (isFull) this.#scheduleExchange()
  }

  /** Call when a connection was opened. */
  onOpened(): void {
    this.#noteUsage()
    this.#giveUpUnused()
    if (!this.#joined || this.#published) return
    this.#scheduleExchange()
    this.#scheduleCheck()
  }

  /** Call when the connection that carries the publication is closed or lost. */
  onPublisherLost(): void {
    if (!this.#published) return
    this.#published = undefined
    this.#noteUsage()
    this.#limitToOpened()
  }

  /**
   * Call when a connection was closed.
   *
   * @param wasLost whether this instance has not closed it itself.
   */
  onClosed({ wasLost }: { readonly wasLost: boolean }): void {
    if (!this.#joined) return
    // The connection may have been lost at any time since this instance has last seen it on the server.
    this.#noteUsage(wasLost && !this.#isSettled() ? this.#lookedAt : undefined)
    if (this.#options.port.held() === 0) this.#leaveEmpty()
    // The connection that carries the publication may be lost as well, which is not known yet.
    else if (wasLost || !this.#published) this.#limitToOpened()
    else this.#giveUpUnused()
  }

  /** With no connection open, the instance has left the fleet and its share is free. */
  #leaveEmpty(): void {
    this.#published = undefined
    this.#noteUsage()
    this.#timer.cancel()
    this.#applyShare(1, undefined)
  }

  /** Until it publishes again, other instances may know only its open connections. */
  get #visible(): number {
    return Math.max(1, Math.min(this.#max, this.#options.port.opened()))
  }

  #limitToOpened(): void {
    this.#applyShare(this.#visible, this.#share)
    if (this.#options.port.open() === 0) return
    this.#scheduleExchange()
    this.#scheduleCheck()
  }

  // --- The claim that other instances see ----------------------------------------------------------------------------

  #noteUsage(since?: number): void {
    const { port, clock } = this.#options
    this.#unused.note(clock.now(), this.#published?.target ?? 0, port.opened(), since)
  }

  /** As many connections as other instances reserve, or will reserve when it publishes them; Infinity if nothing limits it. */
  get #usable(): number {
    const { port, clock } = this.#options
    const opened = Math.max(1, port.opened())
    return this.#unused.mayClaim(clock.now(), opened) ? Infinity : opened
  }

  /** Other instances may no longer reserve the connections that this one has left unused for long. On the hot path of every query. */
  #giveUpUnused(): void {
    if (this.#unused.usableUntil === Infinity) return
    const { port, clock } = this.#options
    const opened = Math.max(1, port.opened())
    if (this.#max <= opened || clock.now() < this.#unused.usableUntil) return
    this.#applyShare(opened, this.#share)
    this.#scheduleExchange()
  }

  // --- When to exchange ----------------------------------------------------------------------------------------------

  #scheduleCheck(): void {
    if (this.#joined) this.#timer.scheduleCheck()
  }

  #check(): void {
    const { port } = this.#options
    this.#giveUpUnused()
    this.#checksToExchange--
    if (this.#needsExchange()) void this.#exchange()
    this.#needs.next()
    // Without a connection no exchange is possible; the next acquire schedules the check again.
    if (port.open() + port.demand() > 0 && !this.#isSettled()) this.#scheduleCheck()
  }

  #needsExchange(): boolean {
    const { port } = this.#options
    if (port.open() === 0 || this.#isSettled()) return false
    if (this.#checksToExchange <= 0 || !this.#published) return true
    const usesLess = this.#share?.contended === true && this.#needs.demand < this.#published.demand
    const hasShrunk = this.#published.target > Math.max(this.#max, port.held())
    return this.#isWaitingForOthers() || this.#needsMoreThanPublished() || usesLess || hasShrunk
  }

  /** It needs more than its max, and has not published that yet. At its floor it may also need to reclaim connections. */
  #needsMoreThanPublished(): boolean {
    return this.#needs.demand > this.#max && (this.#published?.demand ?? 0) <= this.#max
  }

  /** Other instances must give connections back to this one. */
  #isWaitingForOthers(): boolean {
    return this.#share !== undefined && this.#share.entitlement > this.#max
  }

  /** It waits for connections that are already free. */
  #canGrow(): boolean {
    return this.#share !== undefined && this.#isWaitingForOthers() && this.#share.free > this.#max
  }

  /** It has no connections to give back and needs no more. */
  #isSettled(): boolean {
    const floor = this.#needs.floor
    const published = this.#published
    return (
      published !== undefined &&
      Math.max(published.target, published.demand, this.#needs.demand, this.#options.port.held()) <= floor &&
      !this.#isWaitingForOthers() &&
      !this.#exchanging
    )
  }

  /** @param immediately whether to start before the caller's acquire, unless the last exchange has just finished. */
  #scheduleExchange({ immediately = false } = {}): void {
    if (this.#exchanging) return
    if (immediately && this.#timer.delayMillis === 0) void this.#exchange()
    else this.#timer.scheduleExchange()
  }

  /** All instances exchange notices about the adaptive limit at times that follow from the clock. */
  #scheduleNotice(): void {
    const { part, clock, random, port } = this.#options
    this.#cancelNotice?.()
    if (!part || !this.#joined) return
    const onTimer = () => {
      if (port.open() > 0 && !this.#isSettled()) void this.#exchange()
    }
    this.#cancelNotice = clock.after(part.millisToExchange(random()), onTimer, { background: true })
  }

  // --- Exchanging ----------------------------------------------------------------------------------------------------

  #exchange(): Promise<void> {
    const before = this.#published
    this.#exchanging ??= this.#runExchange().finally(() => {
      this.#exchanging = undefined
      // Demand may have grown during the exchange.
      if (this.#published && this.#published !== before && this.#needsMoreThanPublished()) this.#scheduleExchange()
    })
    return this.#exchanging
  }

  async #runExchange(): Promise<void> {
    const { port, member } = this.#options
    this.#timer.onExchangeStarted()
    this.#checksToExchange = CHECKS_PER_INTERVAL
    let decided: { share: FleetShare; publication: Publication } | undefined
    try {
      const decide = (view: FleetView) => {
        decided = this.#decide(view)
        return encodeMemberName(member, decided.publication)
      }
      await port.exchange(decide, { urgent: this.#needsMoreThanPublished() || this.#canGrow() })
      if (decided) this.#onPublished(decided)
    } catch (error) {
      this.#checksToExchange = 1
      if (this.#joined) port.onExchangeFailed(error)
    } finally {
      this.#scheduleCheck()
      this.#scheduleNotice()
    }
  }

  #decide(seen: FleetView): { share: FleetShare; publication: Publication } {
    const { member, headroom, intervalMillis, clock, port, part } = this.#options
    this.#needs.limitTo(seen.servedAtOnce)
    this.#supersedeImpostor(seen)
    const young = clock.now() - this.#joinedAt < intervalMillis
    const own = { name: member, demand: this.#needs.demand, floor: this.#needs.floor }
    const { view, demand } = part
      ? part.read(seen, { ...own, sharedConnections: this.#share?.sharedConnections })
      : { view: seen, demand: own.demand }
    const standing = {
      ...own,
      demand,
      held: port.held(),
      target: this.#max,
    }
    const judge: Judge = (limit, reckon) => this.#claims.judge(limit, reckon)
    const share = settleShare(view, { ...standing, young, headroom }, judge)
    this.#lookedAt = clock.now()
    const target = Math.min(share.maxConnections, this.#needs.ceiling, this.#usable)
    // Shrink before the exchange publishes the lower figure, so that the promise is true from the start.
    if (target < this.#max) this.#applyShare(target, share)
    const publication = {
      target: Math.max(target, port.held()),
      demand: own.demand,
      floor: own.floor,
      ...(part && { notice: part.notice }),
      sequence: ++this.#sequence,
    }
    // Others may see it from now on, even if this exchange fails.
    if (publication.target > port.opened()) this.#unused.note(clock.now(), publication.target, port.opened())
    return { share: { ...share, maxConnections: target }, publication }
  }

  /** If another client publishes under this instance's name, this instance's next sequence number must be later. */
  #supersedeImpostor({ limits: [limit] }: FleetView): void {
    const { member } = this.#options
    const seen = limit?.members.find(({ name }) => name === member)
    if (!seen?.publication || !isLater(seen.publication, { sequence: this.#sequence })) return
    this.#sequence = seen.publication.sequence
    const { role, open, publication } = seen
    this.#onDoubt({ kind: 'impersonated', member, role, open, claimed: publication.target })
  }

  #onPublished({ share, publication }: { share: FleetShare; publication: Publication }): void {
    if (!this.#joined || this.#options.port.held() === 0) return
    this.#published = publication
    this.#noteUsage()
    // The process may have been suspended since other instances can see the publication.
    this.#applyShare(Math.min(share.maxConnections, this.#usable), share)
  }

  #applyShare(max: number, share: FleetShare | undefined): void {
    this.#max = max
    this.#share = share
    this.#options.port.applyShare(max, share)
  }
}
