import type { Lease } from './lease.ts'

/** One open resource and what the pool knows of it. */
export class PoolEntry<R> {
  readonly resource: R
  readonly expiresAt: number
  /** The lease that is out on it; undefined while it is idle or being checked. */
  lease: Lease<R> | undefined
  /** Being checked or cleaned. */
  settling = false
  uses = 0
  idleSince = 0
  /** Its connection was lost, or it is being closed: never lend it again. */
  gone = false

  constructor(resource: R, expiresAt: number) {
    this.resource = resource
    this.expiresAt = expiresAt
  }
}
