import { type AppInProject, poolsOfApp, programsOf } from '../project/apps/app-in-project.ts'
import type { Driver } from '../project/driver.ts'
import type { PoolInSource, PoolLibrary } from '../project/pool-in-source.ts'
import type { ProjectFacts } from '../project/project-facts.ts'
import type { AppPools } from './assign-pools.ts'

type Project = Pick<ProjectFacts, 'apps' | 'pools' | 'drivers' | 'packages'>

/** The programs of a project that open pools, each with the pools of its packages. */
export function appsWithPools(project: Project): readonly AppPools[] {
  const programs = programsOf(project.apps).map((app) => {
    const { folder, name } = app
    return { folder, name, pools: openPools(poolsOfApp(project.apps, app), app) }
  })
  if (programs.length > 0) return programs
  return [{ folder: '', name: 'app', pools: openPools(project.pools, { ...project, folder: '' }) }]
}

/** Pools of scripts are not open in the app's processes. Without a pool in the sources, the driver's default is assumed. */
function openPools(pools: readonly PoolInSource[], { drivers, packages, folder }: Source): readonly PoolInSource[] {
  const open = withoutRepeats(pools.filter(({ role }) => role === 'app'))
  const driver = drivers.find((each) => each !== 'prisma-engine')
  if (pools.length > 0 || driver === undefined) return open
  const guarded = [...packages.keys()].some((name) => name.startsWith('@poolguard/'))
  return [{ ...defaultPool(driver, folder), guarded }]
}

/** A call of knex whose options cannot be read takes those of the knexfile, which are a pool of the list already. */
function withoutRepeats(pools: readonly PoolInSource[]): readonly PoolInSource[] {
  const hasKnexfile = pools.some(({ file }) => /(^|\/)knexfile\.[cm]?[jt]s$/.test(file))
  return pools.filter(({ library, maxFrom }) => !(hasKnexfile && library === 'knex' && maxFrom.kind === 'unknown'))
}

type Source = Pick<AppInProject, 'drivers' | 'packages' | 'folder'>

const LIBRARIES: Readonly<Record<Driver, PoolLibrary>> = {
  pg: 'pg',
  'postgres.js': 'postgres',
  'prisma-engine': 'prisma',
}

function defaultPool(driver: Driver, app: string): PoolInSource {
  const file = app === '' ? 'package.json' : `${app}/package.json`
  return {
    ...{ file, line: 1, maxFile: file, maxLine: 1, library: LIBRARIES[driver], max: 10, app },
    ...{ pools: 1, per: 'process', role: 'app', guarded: false, urlVariable: undefined },
    maxFrom: { kind: 'default', reference: 'https://node-postgres.com/apis/pool' },
  }
}
