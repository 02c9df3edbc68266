import { DurationHistogram } from './durations.ts'
import { DEFAULT_LANE, type LaneQuota } from './lane-settings.ts'
import type { OverloadControl } from './overload-control.ts'

const UNLIMITED: LaneQuota = {
  name: DEFAULT_LANE,
  max: Infinity,
  reserve: 0,
  priority: 1,
  ceiling: Infinity,
  reason: 'the pool has no lanes',
}

/** What the callers of one lane have and may have. A pool without lanes has one, without limits. */
export class Lane {
  readonly overload: OverloadControl
  quota: LaneQuota
  /** The connections that its callers have, or the pool itself. */
  used = 0
  /** Those of them that the pool has acquired for itself. */
  internal = 0
  /** Its place in the order in which lanes are served: the lowest is next. Only `Lanes` changes it. */
  turn = 0
  /** False in a pool without lanes. */
  readonly hasQuota: boolean
  /** How long callers that got a connection waited for it; undefined in a pool without lanes. */
  readonly waitTimes: DurationHistogram | undefined

  constructor(overload: OverloadControl, quota?: LaneQuota) {
    this.overload = overload
    this.quota = quota ?? UNLIMITED
    this.hasQuota = quota !== undefined
    this.waitTimes = quota && new DurationHistogram()
  }

  get name(): string {
    return this.quota.name
  }

  /** A caller gets a connection. */
  begin(waitedMillis: number, isInternal: boolean): void {
    this.used++
    if (isInternal) this.internal++
    this.waitTimes?.record(waitedMillis)
  }

  /** A caller releases a connection. */
  end(usedMillis: number, isInternal: boolean): void {
    this.used--
    if (isInternal) this.internal--
    else this.overload.onServed(usedMillis)
  }

  /** The connections that its callers have. */
  get lent(): number {
    return this.used - this.internal
  }

  /** The part of its reserve that it does not use. */
  get unfilled(): number {
    return Math.max(0, this.quota.reserve - this.used)
  }

  /** True if only a release of its own callers lets the next one get a connection. */
  get isFull(): boolean {
    return this.used >= this.quota.max
  }
}
