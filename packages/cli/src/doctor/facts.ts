import { type AssumedEndpoint, type Capacity, type ConnectionString, PGBOUNCER_CONSOLE } from '@poolguard/core/postgres'
import type { PoolerFacts } from '../database/read-pooler-facts.ts'
import type { ServerFacts, Unreached } from '../database/server-facts.ts'
import type { AppInsight } from '../endpoint/read-pool-stats.ts'
import type { AppTarget } from '../project/apps/app-targets.ts'
import type { ServerInFiles } from '../project/deployments/container.ts'
import type { PoolerSettings, ProjectFacts } from '../project/project-facts.ts'
import type { SqliteCheck } from '../sqlite/check-sqlite.ts'
import type { SqliteAddress } from '../sqlite/sqlite-address.ts'
import type { SumScope } from '../sum/sum-scope.ts'

export interface FactsTarget {
  readonly url: ConnectionString
  readonly source: string
  /** The directory of the app whose `.env` file names the database, if it is not that of the project. */
  readonly app?: string
}

/** A SQLite database and its checks. */
export interface SqliteFacts extends SqliteAddress {
  /** The path for people. */
  readonly shown: string
  readonly checks: readonly SqliteCheck[]
}

/** The input of the rules. Anything doctor could not read is undefined, and the rules that need it report nothing. */
export interface Facts {
  /** The URL of the app, and where it comes from. */
  readonly target: FactsTarget | undefined
  /** Other databases in the `.env` files of the project: those of other apps, and of other modes. */
  readonly otherTargets: readonly AppTarget[]
  /** The environment has a URL that bypasses the pooler. */
  readonly hasDirectUrl: boolean
  /** The kind of endpoint, guessed from the provider's host names; valid until the server has answered. */
  readonly endpoint: AssumedEndpoint | undefined
  readonly server: ServerFacts | undefined
  readonly unreached: Unreached | undefined
  /** Answers of PgBouncer's console. */
  readonly pooler: PoolerFacts | undefined
  /** The SQLite database that the app uses instead of PostgreSQL. */
  readonly sqlite?: SqliteFacts | undefined
  /** The insight of a running app. */
  readonly app?: AppInsight | undefined
  readonly project: ProjectFacts
  /** Numbers from the command line, which replace those of the files. */
  readonly scope: SumScope
  /** Limits of a server whose sessions are not looked at. */
  readonly capacity?: Capacity | undefined
  /** CPU cores of the server, as given on the command line: a server does not report them. */
  readonly cores?: number | undefined
  /** `max_connections` as given on the command line. */
  readonly maxConnections?: number | undefined
  /** Deployments whose number of instances no file says count with one instance; otherwise they are not judged. */
  readonly judgesAssumptions?: boolean | undefined
}

/** Whether clients share server connections: measured, or guessed from the address and the project's files. */
export function usesTransactionPooler({ server, endpoint, target, project }: Facts): boolean {
  if (server) return server.topology.kind === 'pooler' && server.topology.pooler.mode !== 'session'
  // Without an address, assume that the app connects to the project's pooler.
  if (endpoint === 'pooler' || !target) return project.pgBouncer?.values.get('pool_mode') === 'transaction'
  return endpoint === 'transaction-pooler'
}

/** PgBouncer's settings: from the running console, or from the project's files. */
export function poolerSettings({ pooler, project }: Facts): PoolerSettings | undefined {
  if (!pooler) return project.pgBouncer
  const values = [...pooler.config].map(([name, { value }]) => [name, value] as const)
  const databases = pooler.databases.filter(({ name }) => name !== PGBOUNCER_CONSOLE).length
  return {
    source: `PgBouncer ${pooler.version}, SHOW CONFIG`,
    values: new Map(values),
    databases: Math.max(1, databases),
  }
}

/** PgBouncer's settings have at most ten digits. */
const WHOLE_NUMBER = /^\d{1,10}$/

/** A setting as a number; undefined if it is not set, or is a variable. */
export function settingOf(settings: PoolerSettings, name: string): number | undefined {
  const value = settings.values.get(name)
  return value === undefined || !WHOLE_NUMBER.test(value) ? undefined : Number(value)
}

/** Whether the project uses poolguard, which translates URL parameters and discovers limits. */
export function usesPoolguard({ project }: Facts): boolean {
  return [...project.packages.keys()].some((name) => name.startsWith('@poolguard/'))
}

/** The first PostgreSQL server that the deployment files start. */
export function serverInFiles({ project }: Facts): ServerInFiles | undefined {
  return project.deployments.deployments.flatMap(({ servers }) => servers)[0]
}
