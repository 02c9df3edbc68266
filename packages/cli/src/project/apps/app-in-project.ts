import type { Driver } from '../driver.ts'
import type { PoolInSource } from '../pool-in-source.ts'

/** Variables of one file. */
export interface EnvironmentFile {
  /** Relative to the project's root, with `/`. */
  readonly file: string
  readonly variables: Readonly<Record<string, string | undefined>>
}

/** The `.env` files of an app, its own and those of the project's root. */
export interface AppEnvironment {
  /** What the app sees in the mode of NODE_ENV, by default `development`; variables of the shell are not in it. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The files behind `variables`, the strongest first. */
  readonly used: readonly EnvironmentFile[]
  /** Files for other modes, such as `.env.production`: read, and not mixed into `variables`. */
  readonly others: readonly EnvironmentFile[]
  /** Samples, such as `.env.example`. */
  readonly ignored: readonly string[]
}

/** An app or package of a project: a directory with a package.json, or a project of Nx. */
export interface AppInProject {
  /** Relative to the project's root, with `/`; `''` for the root itself. */
  readonly folder: string
  readonly name: string
  readonly packages: ReadonlyMap<string, string>
  readonly drivers: readonly Driver[]
  /** The directories of packages of the same project that it depends on, also indirectly: their pools are its pools. */
  readonly dependsOn: readonly string[]
  /** The pools in its own sources. */
  readonly pools: readonly PoolInSource[]
  readonly environment: AppEnvironment
  /** Whether Prisma's migrations have their own URL. Undefined without Prisma. */
  readonly prismaDirectUrl: boolean | undefined
}

/** The pools that each process of an app opens: its own and those of the project's packages that it uses. */
export function poolsOfApp(
  apps: readonly AppInProject[],
  { folder, dependsOn, pools }: AppInProject,
): readonly PoolInSource[] {
  const shared = apps.filter((app) => app.folder !== folder && dependsOn.includes(app.folder))
  return [...pools, ...shared.flatMap((app) => app.pools)]
}

/** Packages that no other package of the project uses: the programs that are deployed. */
export function programsOf(apps: readonly AppInProject[]): readonly AppInProject[] {
  const used = new Set(apps.flatMap(({ dependsOn }) => dependsOn))
  const connected = apps.filter((app) => poolsOfApp(apps, app).length > 0 || app.drivers.length > 0)
  return connected.filter(({ folder }) => !used.has(folder))
}
