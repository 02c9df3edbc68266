/** The driver that connects to PostgreSQL. `prisma-engine` is the Rust engine of Prisma 5 and 6. */
export type Driver = 'pg' | 'postgres.js' | 'prisma-engine'

/** A pool setting in the sources. */
export interface CodeSetting {
  readonly file: string
  readonly line: number
  readonly kind: 'max' | 'prepare-false' | 'statement-names'
  /** The value of `max`; 0 for other kinds. */
  readonly value: number
}

/** A service in a compose file that connects to PostgreSQL. */
export interface AppService {
  readonly name: string
  readonly replicas: number
  /** Extra replicas during an update: `update_config` with `order: start-first`. */
  readonly surge: number
}

/** The database, the pooler and the apps in a compose file. */
export interface ComposeFacts {
  readonly file: string
  readonly apps: readonly AppService[]
  /** `max_connections` of the PostgreSQL service, default 100. Absent without such a service. */
  readonly maxConnections?: number
  /** `ulimits.nofile` of the pooler's service; absent if not set. */
  readonly poolerFiles?: number
}

/** PgBouncer's settings, and their source. */
export interface PoolerSettings {
  readonly source: string
  readonly values: ReadonlyMap<string, string>
  /** The number of named databases; 1 if there is only `*`. */
  readonly databases: number
}

/** Facts from a project's files; no project code runs. */
export interface ProjectFacts {
  /** Dependencies and their ranges; empty without a package.json. */
  readonly packages: ReadonlyMap<string, string>
  readonly drivers: readonly Driver[]
  /** The root of a monorepo. */
  readonly isWorkspaceRoot: boolean
  readonly code: readonly CodeSetting[]
  readonly compose: ComposeFacts | undefined
  readonly pgBouncer: PoolerSettings | undefined
  /** Whether Prisma's migrations have their own URL. Undefined without Prisma. */
  readonly prismaDirectUrl: boolean | undefined
  /** Existing files that could not be read, and why. */
  readonly unread: readonly string[]
}
