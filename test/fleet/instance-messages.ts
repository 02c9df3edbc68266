/** What the process is started with. */
export interface InstanceOptions {
  readonly url: string
  /** `guarded` and `guarded-postgres-js` are members of a fleet or have a fixed max; the others have their defaults. */
  readonly kind: 'guarded' | 'guarded-postgres-js' | 'pg' | 'prisma'
  /** Of poolguard's. */
  readonly options?: Readonly<Record<string, unknown>>
}

/**
 * What the parent says: so many callers at once from now on, each of which runs `text`, again and again; or only to report.
 * With `blockMillis` it does nothing for so long, when it has reported.
 */
export interface Order {
  readonly number: number
  readonly callers?: number
  readonly text?: string
  readonly blockMillis?: number
}

/** What the process has done so far, and what its pool looks like. */
export interface Report {
  readonly done: number
  readonly failed: number
  /** By code. */
  readonly errors: Readonly<Record<string, number>>
  readonly max: number
  readonly total: number
  readonly reason: string
  readonly fleet: { readonly instance: string; readonly maxConnections: number; readonly instances: number } | null
}
