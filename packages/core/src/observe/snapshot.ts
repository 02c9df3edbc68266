import type { AdaptiveLimitState } from '../adaptive/index.ts'
import type { Budget } from '../budget/index.ts'
import type { PoolCallers, PoolCounts, PoolStats } from '../pool/index.ts'
import type { PreparingState } from '../statements/index.ts'
import type { Topology } from '../topology/index.ts'
import type { InsightSummary, PoolInsight } from './insight/index.ts'

/** The state of one pool at one moment. Plain data without secrets, safe to show. */
export interface PoolSnapshot {
  readonly name: string
  /** The connection string, its password hidden. */
  readonly target: string
  readonly stats: PoolStats
  /** Connections released with an open transaction, which the pool rolled back. */
  readonly dirtyReleases: number
  /** Statements that depend on session state which the pooler does not keep. */
  readonly sessionStateFindings: number
  /** Null until the pool has detected the server or pooler behind the address. */
  readonly topology: Topology | null
  /** Whether statements are prepared automatically, and why; null if the driver does not support automatic preparing. */
  readonly preparing: PreparingState | null
  /** Whether statements share connections, and why; absent if the driver does not support it. */
  readonly pipelining?: PipeliningState | undefined
  /** The limit that the pool has found; absent without `limit: 'adaptive'`, and before a caller has waited. */
  readonly adaptiveLimit?: AdaptiveLimitState | undefined
  /** Null if the pool has no budget, or has not read the server's limits yet. */
  readonly budget: Budget | null
  /** Null if the pool does not belong to a fleet. */
  readonly fleet: FleetSnapshot | null
  /** Where the time of connections goes; absent if the pool does not measure it. */
  readonly insight?: InsightSummary | undefined
  /** Absent if the database has no write-ahead log that this process keeps small. */
  readonly wal?: WalSnapshot | undefined
  /** How reads are routed; absent if the pool has no replicas. */
  readonly routing?: RoutingSnapshot | undefined
  /** True for the pool of a replica, which other pools replace while it cannot be used. */
  readonly isReplica?: boolean | undefined
}

/** Where the reads of a pool with replicas went. */
export interface RoutingSnapshot {
  /** Reads that went to the primary, because no replica could be used or had the caller's writes. */
  readonly readsOnPrimary: number
  readonly replicas: readonly ReplicaSnapshot[]
}

/** One replica of a pool. */
export interface ReplicaSnapshot {
  /** The name of its own pool. */
  readonly name: string
  /** Its connection string, the password hidden. */
  readonly target: string
  /** `usable`, or why no reads go there; `unknown` before the first read. */
  readonly state: 'unknown' | 'usable' | 'lagging' | 'down' | 'promoted'
  /** How far it is behind the primary; null if it cannot be known. */
  readonly lagMillis: number | null
  /** Reads that went there. */
  readonly reads: number
  /** Why no reads go there, in a few words; null if they do. */
  readonly problem: string | null
}

/** Statements that are sent behind others on connections in use (`pool.pipeline`). */
export interface PipeliningState {
  /** The mode in effect. */
  readonly mode: 'off' | 'reads' | 'all'
  /** False until the server or pooler has been detected, and with `off`. */
  readonly active: boolean
  /** Why this mode is in effect. */
  readonly reason: string
  /** Statements sent behind others so far. */
  readonly sentBehind: number
  /** Statements in flight on connections that statements may share. */
  readonly inFlight: number
  /** The most statements that were in flight on one connection. */
  readonly maxDepth: number
  /** Statements that ran for a second or longer while others waited behind them. */
  readonly stalls: number
}

/** The SQLite write-ahead log. SQLite has no server, so that its clients must keep the log small. */
export interface WalSnapshot {
  readonly bytes: number
  /** The size that the log should not exceed. */
  readonly maxBytes: number
  /** Why the log exceeds `maxBytes` and cannot be reset, and what to do; null if it is smaller or about to be reset. */
  readonly problem: string | null
}

/** The state of the pool's fleet, as of its last exchange. */
export interface FleetSnapshot {
  /** `app#id`, as in the application_name of its connections. */
  readonly instance: string
  /** Connections that this instance may open now. */
  readonly maxConnections: number
  /** Connections that this instance could use. */
  readonly demand: number
  /** Instances that share the budget, including this one. */
  readonly instances: number
  /** Connections that all instances may open together. */
  readonly sharedConnections: number
  /** With `fleet.adaptive`: the number of connections in use that makes the server complete the most work, of all instances together. */
  readonly adaptiveLimit?: number | undefined
}

/** A pool in the registry. */
export interface ObservedPool {
  snapshot(): PoolSnapshot
  /** The counts of a snapshot that cost nothing to read, for checks on every request. */
  readonly counts?: PoolCounts
  /** Where the time of its connections went in the last minutes; absent or undefined if the pool does not measure it. */
  insight?(): PoolInsight | undefined
  /** At most `limit` connections in use and callers that wait, the oldest first; absent for a pool that poolguard does not manage. */
  callers?(limit: number): PoolCallers
  /** Changes the most connections that the pool may open; absent for a pool that poolguard does not manage. */
  resize?(bounds: { readonly max: number }): void
  /** Closes idle connections; the pool stays usable. Absent for a pool that poolguard does not manage. */
  closeIdle?(): Promise<void>
  /** Closes the pool; waits up to `drainMillis` for connections in use. Absent for a pool that poolguard does not manage. */
  close?(drainMillis: number): Promise<void>
}
