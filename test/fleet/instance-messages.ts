import type { FleetSnapshot } from '@poolguard/core'

/** The options of the process. */
export interface InstanceOptions {
  readonly url: string
  /** `guarded` and `guarded-postgres-js` use poolguard's options below; `pg` and `prisma` use their own defaults. */
  readonly kind: 'guarded' | 'guarded-postgres-js' | 'pg' | 'prisma'
  /** Options of poolguard. */
  readonly options?: Readonly<Record<string, unknown>>
}

/**
 * A message from the parent: sets the number of callers, each of which runs `text` in a loop; without `callers` it only requests
 * a report. With `blockMillis` the process blocks for that time after the report.
 */
export interface Order {
  readonly number: number
  readonly callers?: number
  readonly text?: string
  readonly blockMillis?: number
}

/** The work of the process so far, and the figures of its pool. */
export interface Report {
  readonly done: number
  readonly failed: number
  /** Count by error code. */
  readonly errors: Readonly<Record<string, number>>
  /** Of the calls since the last report, waiting for a connection included; NaN without one. */
  readonly p99Millis: number
  readonly max: number
  readonly total: number
  readonly reason: string
  readonly fleet: Pick<FleetSnapshot, 'instance' | 'maxConnections' | 'instances' | 'adaptiveLimit'> | null
}
