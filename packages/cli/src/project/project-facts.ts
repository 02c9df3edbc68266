/** What speaks to PostgreSQL in the end. `prisma-engine` is the Rust engine of Prisma 5 and 6. */
export type Driver = 'pg' | 'postgres.js' | 'prisma-engine'

/** A place in the sources that says something of pools. */
export interface CodeSetting {
  readonly file: string
  readonly line: number
  readonly kind: 'max' | 'prepare-false' | 'statement-names'
  /** The number, of `max`. */
  readonly value: number
}

/** A service of a compose file that is neither PostgreSQL nor a pooler. */
export interface AppService {
  readonly name: string
  readonly replicas: number
  /** More that run during an update: `update_config` with `order: start-first`. */
  readonly surge: number
}

/** What a compose file says of the database and of who uses it. */
export interface ComposeFacts {
  readonly file: string
  readonly apps: readonly AppService[]
  /** `max_connections` of the PostgreSQL service; 100 where it has none. Absent without such a service. */
  readonly maxConnections?: number
  /** Open files that the pooler's service may have; absent where the file does not say. */
  readonly poolerFiles?: number
}

/** Settings of PgBouncer, and where they were read. */
export interface PoolerSettings {
  readonly source: string
  readonly values: ReadonlyMap<string, string>
  /** Databases that it lists by name; 1 where there is but a `*`. */
  readonly databases: number
}

/** What a project's folder tells, without running anything of it. */
export interface ProjectFacts {
  /** Dependencies and their ranges; empty without a package.json. */
  readonly packages: ReadonlyMap<string, string>
  readonly drivers: readonly Driver[]
  /** The root of a monorepo, whose apps have files of their own. */
  readonly isWorkspaceRoot: boolean
  readonly code: readonly CodeSetting[]
  readonly compose: ComposeFacts | undefined
  readonly pgBouncer: PoolerSettings | undefined
  /** Prisma's migrations have a URL of their own. Undefined where there is no Prisma. */
  readonly prismaDirectUrl: boolean | undefined
  /** Files that are there and could not be used, and why. */
  readonly unread: readonly string[]
}
