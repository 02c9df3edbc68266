import type { ConnectFailure } from './connect-failure.ts'
import type { Durations } from './durations.ts'

/** The few figures of a pool that cost nothing to read, for whoever asks with every request. */
export interface PoolCounts extends Pick<PoolStats, 'max' | 'total' | 'idle' | 'active' | 'waiting'> {
  /** The last attempt to connect has failed. */
  readonly connectFailing: boolean
}

/** What a pool has done so far, and what it holds now. */
export interface PoolStats {
  readonly max: number
  readonly min: number
  /** Slots taken: the sum of idle, active, connecting, validating and closing. */
  readonly total: number
  readonly idle: number
  /** Leased. */
  readonly active: number
  readonly connecting: number
  /** Being checked or cleaned, between idle and leased. */
  readonly validating: number
  /** Given up, but not yet let go of by the server: they still count as `total`. */
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
  /** Leases suspected to be leaks so far. */
  readonly leaks: number
  /** Those of them that are out still. */
  readonly suspectedLeaks: number
  readonly deadlocks: number
  /** When these figures were taken, by the pool's clock, in milliseconds. Only differences mean something. */
  readonly takenAtMillis: number
  /** Sum of the times of all leases so far, those that are out included. */
  readonly leasedMillis: number
  /** What `max` adds up to over time so far: `leasedMillis` is a share of this. */
  readonly capacityMillis: number
  /** How long the oldest lease is out; 0 where none is. */
  readonly longestLeaseMillis: number
  readonly connectFailures: Readonly<Record<ConnectFailure, number>>
  /** How long those who got a connection waited for it. */
  readonly wait: Durations
  /** The same of those who ran under a label, see {@link runWithLabel}. */
  readonly waitByLabel: Readonly<Record<string, Durations>>
  /** How long finished leases lasted. */
  readonly usage: Durations
  /** How long opening a connection took. */
  readonly connect: Durations
}
