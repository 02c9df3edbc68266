import type { Clock } from '../clock.ts'
import { currentLane } from './caller-context.ts'
import { Callers } from './callers.ts'
import type { PoolState } from './errors.ts'
import { Lane } from './lane.ts'
import { DEFAULT_LANE, divideAmongLanes, type LaneQuota, type LanesOptions } from './lane-settings.ts'
import type { LeaseReport } from './lease-report.ts'
import type { Limits } from './limits.ts'
import { OverloadControl } from './overload-control.ts'
import type { PoolEvent } from './pool-events.ts'
import type { AcquireOptions } from './pool-options.ts'
import type { PoolResources } from './pool-resources.ts'
import type { Waiter } from './waiter-queue.ts'

export interface LanesParts<R> {
  /** Undefined for a pool without lanes. */
  readonly options: LanesOptions | undefined
  readonly clock: Clock
  readonly random: () => number
  readonly limits: Limits
  readonly resources: PoolResources<R>
  /** The pool's state, for an error of a caller. */
  readonly describe: (callers: Callers<R>, oldestLeases: readonly LeaseReport[] | undefined) => PoolState
  readonly emit: (event: PoolEvent) => void
  readonly warn: (message: string) => void
  /** Called when the last waiter of a lane has left. */
  readonly onEmptied: () => void
}

/** Warnings about names that are no lane of the pool. */
const MAX_WARNINGS = 3

/**
 * Divides the connections of a pool among its lanes. A caller gets a connection if its lane has not reached its max, and if the lane has
 * not filled its reserve or connections remain besides the reserves of other lanes. The turns of lanes whose callers wait are divided by
 * priority, by stride scheduling (Waldspurger and Weihl 1995, https://dl.acm.org/doi/10.5555/889650). In a pool without lanes, all callers
 * wait in one line and nothing is divided.
 */
export class Lanes<R> implements Iterable<Waiter<R>> {
  /** All callers, in a pool without lanes. */
  readonly only: Callers<R> | undefined
  readonly all: readonly Callers<R>[]
  readonly #options: LanesOptions
  readonly #parts: LanesParts<R>
  readonly #byName: ReadonlyMap<string, Callers<R>>
  readonly #default: Callers<R>
  /** Waits of the pool itself: served before all lanes, and limited by none. */
  readonly #internal: Callers<R>
  /** The turn of the lane that was served last. */
  #turn = 0
  readonly #unknown = new Set<string>()

  constructor(parts: LanesParts<R>) {
    const { options, limits } = parts
    this.#parts = parts
    this.#options = options ?? {}
    const quotas = options && divideAmongLanes(options, limits.lendable)
    this.#byName = new Map(quotas?.map((quota) => [quota.name, this.#makeCallers(quota)]))
    this.#default = this.#byName.get(DEFAULT_LANE) ?? this.#makeCallers(undefined)
    this.only = quotas ? undefined : this.#default
    this.all = quotas ? [...this.#byName.values()] : [this.#default]
    this.#internal = this.only ?? this.#makeCallers(undefined)
  }

  /** @param quota undefined if nothing is divided among its callers and others. */
  #makeCallers(quota: LaneQuota | undefined): Callers<R> {
    const { clock, random, limits, resources, describe, emit, onEmptied } = this.#parts
    const { entries } = resources
    const isHeldBack = (): boolean => entries.open > 0 && this.roomOf(lane) <= 0
    const overload: OverloadControl = new OverloadControl({
      isAtLimit: () => resources.isAtLimit || isHeldBack(),
      connections: () => (quota ? lane.used : Math.min(entries.open, limits.lendable)),
      random,
    })
    const lane: Lane = new Lane(overload, quota)
    const callers: Callers<R> = new Callers({
      ...{ clock, limits, lane, emit, onEmptied },
      room: () => this.roomOf(lane),
      describe: (oldestLeases) => describe(callers, oldestLeases),
    })
    return callers
  }

  /** Divides the connections anew after the pool's `max` or its lending limit has changed. */
  resize(): void {
    if (this.only) return
    for (const quota of divideAmongLanes(this.#options, this.#parts.limits.lendable)) {
      const callers = this.#byName.get(quota.name)
      if (callers) callers.lane.quota = quota
    }
  }

  // --- Which lane a caller belongs to --------------------------------------------------------------------------------

  /** The callers that an acquire joins; undefined if it names a lane that does not exist. */
  of({ internal, lane }: AcquireOptions): Callers<R> | undefined {
    if (this.only) return lane === undefined ? this.only : undefined
    if (internal !== undefined) return this.#internal
    return lane === undefined ? this.current : this.#byName.get(lane)
  }

  /** The callers of the current call's lane, in a pool with lanes. */
  get current(): Callers<R> {
    const name = currentLane()
    if (name !== undefined && !this.#byName.has(name)) this.#warnOfUnknown(name)
    return this.named(name)
  }

  /** Another pool of the process may have the lane, so it is no error. */
  #warnOfUnknown(name: string): void {
    if (this.#unknown.size >= MAX_WARNINGS || this.#unknown.has(name)) return
    this.#unknown.add(name)
    const message = `runInLane: the pool has no lane "${name}", so its callers belong to the lane "${DEFAULT_LANE}". The lanes are ${this.names}.`
    this.#parts.warn(message)
  }

  get names(): string {
    return [...this.#byName.keys()].join(', ')
  }

  /** The callers of a lane; those of the lane `default` if there is no such lane. */
  named(name: string | undefined): Callers<R> {
    return (name !== undefined && this.#byName.get(name)) || this.#default
  }

  // --- Who gets a connection -----------------------------------------------------------------------------------------

  /** How many connections more the callers of a lane may have now. */
  roomOf(lane: Lane): number {
    const { limits } = this.#parts
    if (this.only) return Math.min(limits.settings.max - lane.used, limits.lending - lane.lent)
    return Math.min(lane.quota.max - lane.used, lane.unfilled + Math.max(0, this.#unreserved), this.#roomBelowLimit)
  }

  /** What keeps a caller of a lane from a connection, although not all are in use. */
  limitOf(lane: Lane): 'max' | 'reserves' | null {
    if (this.only || this.roomOf(lane) > 0) return null
    const inUse = this.lent + this.#internal.lane.used
    if (this.#roomBelowLimit <= 0 || inUse >= this.#parts.limits.settings.max) return null
    return lane.isFull ? 'max' : 'reserves'
  }

  /** Whether a caller may have one connection more now, if one is idle or may be opened. */
  mayLend({ lane }: Callers<R>): boolean {
    if (this.only) return lane.lent < this.#parts.limits.lending
    return lane === this.#internal.lane || this.roomOf(lane) > 0
  }

  /** Whether callers have more connections than they may, because the limit has fallen. */
  get isAboveLimit(): boolean {
    return this.#roomBelowLimit < 0
  }

  /** How many connections more callers may have now because of the lending limit; Infinity without one. */
  get #roomBelowLimit(): number {
    const { lending } = this.#parts.limits
    return lending === Infinity ? Infinity : lending - this.lent
  }

  /** The connections that callers have. */
  get lent(): number {
    let lent = 0
    for (const { lane } of this.all) lent += lane.lent
    return lent
  }

  /** Connections that are not in use and not reserved. */
  get #unreserved(): number {
    const { settings, lending } = this.#parts.limits
    let taken = 0
    for (const { lane } of this.all) taken += Math.max(lane.used, lane.quota.reserve)
    return Math.min(settings.max - this.#internal.lane.used, lending) - taken
  }

  /** How many of the waiters may get a connection, if there are that many. */
  get servable(): number {
    if (this.only) return this.#servableOf(this.only)
    // Asked at each release, when mostly no caller waits.
    if (this.size === 0) return 0
    let fromReserves = 0
    let others = 0
    for (const { lane, line } of this.all) {
      const own = Math.min(line.size, lane.unfilled)
      fromReserves += own
      others += Math.max(0, Math.min(line.size - own, lane.quota.max - lane.used - own))
    }
    const servable = fromReserves + Math.min(others, Math.max(0, this.#unreserved))
    return this.#internal.line.size + Math.min(servable, Math.max(0, this.#roomBelowLimit))
  }

  /** In a pool without lanes, waits of the pool itself may be at the front of the line; they are not limited. */
  #servableOf({ lane, line }: Callers<R>): number {
    const room = this.#parts.limits.lending - lane.lent
    if (line.size <= room) return line.size
    return Math.max(room, line.first?.isInternal ? 1 : 0)
  }

  /** When the first caller of the lines began to wait; Infinity if none waits. */
  get waitingSince(): number {
    let since = Infinity
    for (const { line } of this.#lines) {
      const [first] = line
      if (first) since = Math.min(since, first.since)
    }
    return since
  }

  /** Removes and returns the waiter to serve next; undefined if none may get a connection. */
  shift(): Waiter<R> | undefined {
    if (this.only) return this.#servableOf(this.only) > 0 ? this.only.line.shift() : undefined
    if (this.#internal.line.size > 0) return this.#internal.line.shift()
    for (let next = this.#next(); next; next = this.#next()) {
      // Undefined if the line has rejected all its waiters because of an overload.
      const waiter = next.line.shift()
      if (!waiter) continue
      this.#turn = this.#turnOf(next.lane)
      next.lane.turn = this.#turn + 1 / next.lane.quota.priority
      return waiter
    }
    return undefined
  }

  #next(): Callers<R> | undefined {
    let next: Callers<R> | undefined
    for (const callers of this.all) {
      if (callers.line.size === 0 || this.roomOf(callers.lane) <= 0) continue
      if (!next || this.#isBefore(callers.lane, next.lane)) next = callers
    }
    return next
  }

  /** A lane gets its reserve before another one gets more than its own. */
  #isBefore(a: Lane, b: Lane): boolean {
    const [aHasReserve, bHasReserve] = [a.unfilled > 0, b.unfilled > 0]
    return aHasReserve === bHasReserve ? this.#turnOf(a) < this.#turnOf(b) : aHasReserve
  }

  /** A lane without waiters has no claim to the turns that it did not take. */
  #turnOf(lane: Lane): number {
    return Math.max(lane.turn, this.#turn)
  }

  // --- All waiters ---------------------------------------------------------------------------------------------------

  /** All waiters. */
  get size(): number {
    if (this.only) return this.only.line.size
    let size = this.#internal.line.size
    for (const { line } of this.all) size += line.size
    return size
  }

  /** Waiters that would get a connection if the pool's `max` were larger. */
  get demand(): number {
    let demand = 0
    for (const { lane, line } of this.all) demand += Math.min(line.size, Math.max(0, lane.quota.ceiling - lane.used))
    const ofPool = this.only ? 0 : this.#internal.line.size
    return ofPool + Math.min(demand, Math.max(0, this.#roomBelowLimit))
  }

  *[Symbol.iterator](): Generator<Waiter<R>> {
    for (const { line } of this.#lines) yield* line
  }

  /** The waits of callers that have no deadline, see `Callers.rejectUnbounded`. */
  rejectUnbounded(): void {
    for (const callers of this.#lines) callers.rejectUnbounded()
  }

  /** The pool has more connections than before. */
  onGrown(): void {
    for (const callers of this.all) callers.onGrown()
  }

  rejectAll(makeError: () => Error): void {
    for (const { line } of this.#lines) line.rejectAll(makeError)
  }

  rejectInternal(makeError: () => Error): void {
    this.#internal.line.rejectInternal(makeError)
  }

  get #lines(): readonly Callers<R>[] {
    return this.only ? this.all : [this.#internal, ...this.all]
  }
}
