import type { ConnectFailure } from './connect-failure.ts'
import type { Durations } from './durations.ts'
import type { OverloadReason } from './overloaded-error.ts'

/** The figures of a pool that are cheap enough to read with every request. */
export interface PoolCounts
  extends Pick<PoolStats, 'max' | 'limit' | 'total' | 'idle' | 'active' | 'connecting' | 'waiting' | 'overloaded'> {
  /** True if the last attempt to connect failed. */
  readonly connectFailing: boolean
  /**
   * How long a caller that is rejected now should wait before it tries again, in milliseconds: as long as the overload has lasted, from 1 s
   * to 10 s, plus a random part.
   */
  readonly retryAfterMillis: number
  /** The same of each lane; absent in a pool without lanes. */
  readonly lanes?: Readonly<Record<string, LaneCounts>>
}

/** How much the callers of a pool want, for a controller of its limit. */
export interface PoolLoad {
  /** Connections that callers may have at the same time. */
  readonly limit: number
  /** Connections that callers have. */
  readonly lent: number
  /** Connections that are being validated or reset. */
  readonly validating: number
  readonly opening: number
  readonly waiting: number
  /** How often the last waiting caller has left the line so far. */
  readonly emptied: number
  /** Leases of callers that have ended so far. */
  readonly ended: number
}

/** The figures of a lane that are cheap enough to read with every request. */
export interface LaneCounts extends Pick<PoolCounts, 'overloaded' | 'retryAfterMillis' | 'waiting'> {}

/** The totals of a lane so far, and its current state. */
export interface LaneStats {
  /** The most connections that its callers may have at the same time. */
  readonly max: number
  /** Connections that other lanes leave free for it. */
  readonly reserve: number
  readonly priority: number
  /** Connections that its callers have. */
  readonly active: number
  readonly waiting: number
  readonly overloaded: boolean
  /** True while every caller that could release a connection for it waits for another one. */
  readonly deadlocked: boolean
  readonly timeouts: number
  readonly saturated: number
  readonly shed: PoolStats['shed']
  /** How long its callers that got a connection waited for it. */
  readonly wait: Durations
}

/** The figures of a pool that does not measure overloads. */
export const NO_OVERLOADS: Pick<PoolStats, 'overloaded' | 'shed'> = {
  overloaded: false,
  shed: { 'waited-too-long': 0, 'deadline-too-near': 0 },
}

/** The totals of a pool so far, and its current state. */
export interface PoolStats {
  readonly max: number
  /** Connections that callers may have at the same time: `max`, or fewer with the setting `limit`. */
  readonly limit: number
  readonly min: number
  /** Occupied slots: the sum of idle, active, connecting, validating and closing. */
  readonly total: number
  readonly idle: number
  /** Leased. */
  readonly active: number
  readonly connecting: number
  /** Being validated or reset, between idle and active. */
  readonly validating: number
  /** Being closed: they count as `total` until the server has closed them. */
  readonly closing: number
  readonly waiting: number
  /** Checkouts so far. */
  readonly acquired: number
  /** Connections opened so far. */
  readonly opened: number
  /** Connections closed so far. */
  readonly closed: number
  readonly timeouts: number
  readonly saturated: number
  /**
   * True while more callers arrive than the connections can serve: callers have been waiting without interruption for 100 ms, or for
   * twice the usual duration of a checkout if that is longer.
   */
  readonly overloaded: boolean
  /** Callers rejected because of an overload so far, by reason; see the setting `overload`. */
  readonly shed: Readonly<Record<OverloadReason, number>>
  /** Leases suspected to be leaks so far. */
  readonly leaks: number
  /** Current leases that are suspected leaks. */
  readonly suspectedLeaks: number
  readonly deadlocks: number
  /** The time of these figures by the pool's clock, in milliseconds. Only differences are meaningful. */
  readonly takenAtMillis: number
  /** Total duration of all leases so far, including current ones. */
  readonly leasedMillis: number
  /** The integral of `limit` over time: `leasedMillis` divided by this is the share in use. */
  readonly capacityMillis: number
  /** Age of the oldest current lease; 0 without leases. */
  readonly longestLeaseMillis: number
  readonly connectFailures: Readonly<Record<ConnectFailure, number>>
  /** How long callers that got a connection waited for it. */
  readonly wait: Durations
  /** The same for callers under a label, by label; see `runWithLabel`. */
  readonly waitByLabel: Readonly<Record<string, Durations>>
  /** The lanes by name; absent in a pool without lanes. */
  readonly lanes?: Readonly<Record<string, LaneStats>>
  /** Duration of finished leases. */
  readonly usage: Durations
  /** Time to open a connection. */
  readonly connect: Durations
}
