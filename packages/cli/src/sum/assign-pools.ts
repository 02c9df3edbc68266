import { t } from '../output/translate.ts'
import { runsBeforeTheApp } from '../project/deployments/classify-containers.ts'
import type { PoolInSource } from '../project/pool-in-source.ts'
import type { Workload } from '../project/workload.ts'
import { DEFAULT_MAX, type PoolUse, poolUse } from './pool-use.ts'

/** The pools that each process of a workload opens, and how sure that is. */
export interface Assignment {
  readonly pools: readonly PoolUse[]
  /** Why these pools, if the files leave it open. */
  readonly assumption: string | undefined
}

/** A program of the project, and the pools that each of its processes opens. */
export interface AppPools {
  /** Relative to the project's root, `''` for the root itself. */
  readonly folder: string
  /** The name in its package.json. */
  readonly name: string
  readonly pools: readonly PoolInSource[]
}

/**
 * Finds the pools of a workload: those of the app that it runs. The deployment file names the app by its directory, its
 * command or its name; otherwise the only app, or the one with the most connections, is assumed.
 *
 * @param all the apps with pools.
 */
export function assignPools(workload: Workload, all: readonly AppPools[]): Assignment {
  if (runsBeforeTheApp(workload)) return { pools: [migration(workload)], assumption: undefined }
  const apps = all.filter(({ pools }) => pools.length > 0)
  const usesOf = ({ pools }: AppPools) => pools.map((pool) => poolUse(pool, workload))
  const named = apps.find((app) => isApp(workload, app))
  if (named) return { pools: usesOf(named), assumption: undefined }
  if (apps.length === 0) return assumedPool(workload)
  const [largest] = apps.toSorted((a, b) => total(usesOf(b)) - total(usesOf(a)))
  // A deployment file in a directory without pools starts an app without a database.
  if (!largest || (workload.app && !isAbove(workload.app, apps))) return { pools: [], assumption: undefined }
  const app = largest.folder || largest.name
  const assumption =
    apps.length === 1 ? undefined : t`Assumed that ${workload.name} runs ${app}, which has the largest pools.`
  return { pools: usesOf(largest), assumption }
}

function isApp({ name, app: directory, command }: Workload, { folder, name: packageName }: AppPools): boolean {
  if (folder === '') return false
  if (directory === folder || directory?.startsWith(`${folder}/`)) return true
  const names = [folder.split('/').at(-1), packageName, packageName.split('/').at(-1)]
  return (
    names.includes(withoutProject(name)) || command?.includes(`${folder}/`) === true || isFilter(command, packageName)
  )
}

/** `pnpm --filter @shop/api start`, `yarn workspace @shop/api start`, `turbo run start --filter=api`. */
function isFilter(command: string | undefined, packageName: string): boolean {
  return command?.split(/[\s=]+/).includes(packageName) === true && /filter|workspace|nx|-w\b|-F\b/.test(command)
}

/** `shop/web` and `web (preview)` are both `web`. */
function withoutProject(name: string): string {
  return (
    name
      .split('/')
      .at(-1)
      ?.replace(/ \(preview\)$/, '') ?? name
  )
}

/** Whether a directory contains an app with pools, or is the root's. */
function isAbove(directory: string, apps: readonly AppPools[]): boolean {
  return apps.some(({ folder }) => folder === '' || folder.startsWith(`${directory}/`))
}

function total(uses: readonly PoolUse[]): number {
  return uses.reduce((sum, { max, pools }) => sum + max * pools, 0)
}

/** Variables that set the size of a pool in many apps. */
const SIZE =
  /(^|_)(POOL_(MAX|SIZE|LIMIT)|MAX_POOL(_SIZE)?|POOL_MAX_(SIZE|CONNECTIONS)|MAX_CONNECTIONS|CONNECTION_LIMIT|CONNECTIONS_MAX)$/

/** The pool of a workload whose sources are elsewhere: from its environment, otherwise of the usual size. */
function assumedPool({ name, variables, isKnownClient, place }: Workload): Assignment {
  if (!isKnownClient) return { pools: [], assumption: undefined }
  const common = { library: 'pool', pools: 1, isGuarded: false, urlVariable: undefined }
  for (const [variable, { value, place: at }] of variables) {
    const isUrl = /^postgres(ql)?:/.test(value)
    const size = isUrl
      ? /[?&]connection_limit=(\d{1,6})/.exec(value)?.[1]
      : SIZE.test(variable)
        ? /^\d{1,6}$/.exec(value)?.[0]
        : undefined
    if (size === undefined) continue
    const setBy = isUrl ? `connection_limit of ${variable}` : variable
    return { pools: [{ ...common, max: Number(size), place: at, setBy, isAssumed: false }], assumption: undefined }
  }
  return {
    pools: [{ ...common, max: DEFAULT_MAX, place, setBy: 'max', isAssumed: true }],
    assumption: t`Assumed one pool of ${DEFAULT_MAX} connections in each process of ${name}: its sources are not in this directory.`,
  }
}

/** Migration tools work in one connection. */
function migration({ place }: Workload): PoolUse {
  return {
    ...{ library: 'migrations', max: 1, pools: 1, place, setBy: 'one connection' },
    ...{ isAssumed: false, isGuarded: false, urlVariable: undefined },
  }
}
