import type { AppInProject } from './apps/app-in-project.ts'
import type { PoolInSource } from './pool-in-source.ts'

/** The driver that connects to PostgreSQL. `prisma-engine` is the Rust engine of Prisma 5 and 6. */
export type Driver = 'pg' | 'postgres.js' | 'prisma-engine'

/** A setting for prepared statements in the sources. */
export interface StatementSetting {
  readonly file: string
  readonly line: number
  readonly kind: 'prepare-false' | 'statement-names'
}

/** A parameter that the sources set on a connection URL: `url.searchParams.set('connection_limit', '20')`. */
export interface UrlParameterSetting {
  readonly file: string
  readonly line: number
  readonly parameter: string
  readonly value: string
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
  /** Dependencies of all apps and their ranges; empty without a package.json. */
  readonly packages: ReadonlyMap<string, string>
  readonly drivers: readonly Driver[]
  /** The root of a monorepo. */
  readonly isWorkspaceRoot: boolean
  /** The apps and packages of the project, the root first; only the root if it is not a monorepo. */
  readonly apps: readonly AppInProject[]
  /** The pools of all apps. */
  readonly pools: readonly PoolInSource[]
  readonly statements: readonly StatementSetting[]
  readonly urlParameters: readonly UrlParameterSetting[]
  readonly compose: ComposeFacts | undefined
  readonly pgBouncer: PoolerSettings | undefined
  /** Whether Prisma's migrations have their own URL in every app. Undefined without Prisma. */
  readonly prismaDirectUrl: boolean | undefined
  /** Existing files that could not be read, and why. */
  readonly unread: readonly string[]
}
