import type { Lease } from './lease.ts'
import type { Activity, RunningQuery } from './resource-factory.ts'

/** One open resource and what the pool knows of it. */
export class PoolEntry<R> {
  readonly resource: R
  readonly expiresAt: number
  /** The lease that is out on it; undefined while it is idle or being checked. */
  lease: Lease<R> | undefined
  /** Being checked or cleaned; `late` when that takes longer than it should. */
  settling: 'soon' | 'late' | false = false
  uses = 0
  idleSince = 0
  /** When something was seen to have moved on the lease last. */
  quietSince = 0
  activity: Activity = 0
  runningQuery: RunningQuery | undefined
  /** When the running query was seen first. */
  queryingSince = 0
  /** The running query has been reported as a long one. */
  longQueryReported = false
  /** Its connection was lost, or it is being closed: never lend it again. */
  gone = false

  constructor(resource: R, expiresAt: number) {
    this.resource = resource
    this.expiresAt = expiresAt
  }
}
