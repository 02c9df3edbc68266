import type { AppInProject } from './apps/app-in-project.ts'
import type { DeploymentFacts } from './deployments/container.ts'
import type { Driver } from './driver.ts'
import type { PoolInSource } from './pool-in-source.ts'
import type { Place } from './workload.ts'

/** A setting for prepared statements in the sources. */
export interface StatementSetting {
  readonly file: string
  readonly line: number
  readonly kind: 'prepare-false' | 'prepare-true' | 'statement-names'
}

/** A parameter that the sources set on a connection URL: `url.searchParams.set('connection_limit', '20')`. */
export interface UrlParameterSetting {
  readonly file: string
  readonly line: number
  readonly parameter: string
  readonly value: string
  /** The app's directory. */
  readonly app: string
}

/** PgBouncer's settings, and their source. */
export interface PoolerSettings {
  readonly source: string
  readonly values: ReadonlyMap<string, string>
  /** The lines of the values, if they come from a file. */
  readonly places?: ReadonlyMap<string, Place>
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
  readonly deployments: DeploymentFacts
  readonly pgBouncer: PoolerSettings | undefined
  /** Whether Prisma's migrations have their own URL in every app. Undefined without Prisma. */
  readonly prismaDirectUrl: boolean | undefined
  /** Existing files that could not be read, and why. */
  readonly unread: readonly string[]
}
