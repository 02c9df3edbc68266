import type { Budget } from '../budget/index.ts'
import type { PoolCounts, PoolStats } from '../pool/index.ts'
import type { PreparingState } from '../statements/index.ts'
import type { Topology } from '../topology/index.ts'

/** What one pool looks like at one moment. Plain data, safe to show: it holds no secret. */
export interface PoolSnapshot {
  readonly name: string
  /** The connection string, its password hidden. */
  readonly target: string
  readonly stats: PoolStats
  /** Connections that came back with a transaction open, which was rolled back. */
  readonly dirtyReleases: number
  /** Statements seen that rely on a session which the pooler does not keep. */
  readonly sessionStateFindings: number
  /** Null until the pool has found out what is at the other end. */
  readonly topology: Topology | null
  /** Whether statements are prepared automatically, and why; null where the driver does not go by it. */
  readonly preparing: PreparingState | null
  /** Null where no plan was asked for, or the database has not been looked at yet. */
  readonly budget: Budget | null
  /** Null where the pool is no member of a fleet. */
  readonly fleet: FleetSnapshot | null
  /** Absent if the database has no write-ahead log that this process keeps small. */
  readonly wal?: WalSnapshot | undefined
}

/** SQLite's write-ahead log, which the clients have to keep small: there is no server that does. */
export interface WalSnapshot {
  readonly bytes: number
  /** The size that it should not exceed. */
  readonly maxBytes: number
  /** Why it exceeds that size and cannot be reset, and what to do; null if it does not, or is about to be reset. */
  readonly problem: string | null
}

/** What a pool has of its fleet, as of its last look. */
export interface FleetSnapshot {
  /** `app#id`, as its connections carry it. */
  readonly instance: string
  /** Connections that it may have now. */
  readonly maxConnections: number
  /** Connections that it could use. */
  readonly demand: number
  /** Instances that share with it, itself included. */
  readonly instances: number
  /** Connections that all of them can have together. */
  readonly sharedConnections: number
}

/** What the registry keeps. */
export interface ObservedPool {
  snapshot(): PoolSnapshot
  /** The few figures of a snapshot that cost nothing to read, for whoever asks with every request. */
  readonly counts?: PoolCounts
  /** Closes it, waiting so long for connections in use. Absent where somebody else's pool is only looked at. */
  close?(drainMillis: number): Promise<void>
}
