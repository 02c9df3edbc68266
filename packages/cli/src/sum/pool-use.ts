import { parseConnectionString } from '@poolguard/core/postgres'
import type { PoolInSource } from '../project/pool-in-source.ts'
import type { Place, Workload } from '../project/workload.ts'

/** The size of most libraries' pools, where neither the options nor the library's documentation say another one. */
export const DEFAULT_MAX = 10

/** A pool that every process of a workload opens. */
export interface PoolUse {
  /** `pg`, `pg-boss`. */
  readonly library: string
  /** Connections of one such pool, at most. */
  readonly max: number
  /** Such pools in one process. */
  readonly pools: number
  /** The line that sets `max`, or the line that creates the pool. */
  readonly place: Place
  /** What sets `max`: `max`, `DB_POOL_MAX`, `connection_limit of DATABASE_URL`, `the default of pg-boss`. */
  readonly setBy: string
  /** `max` is not in the files. */
  readonly isAssumed: boolean
  /** poolguard's pool stays within the server's limits at run time, so that only its first connection counts. */
  readonly isGuarded: boolean
  /** The variable with the address, if the source names one. */
  readonly urlVariable: string | undefined
}

/** The most connections that the pool opens in one process. */
export function connectionsOf({ max, pools, isGuarded }: PoolUse): number {
  return (isGuarded ? Math.min(1, max) : max) * pools
}

/** A pool of the sources as a workload opens it: the workload's variables decide over defaults in the code. */
export function poolUse(pool: PoolInSource, { variables }: Pick<Workload, 'variables'>): PoolUse {
  const { library, pools, guarded: isGuarded, urlVariable, maxFrom, max } = pool
  const place = { file: pool.maxFile, line: pool.maxLine }
  const common = { library, pools, isGuarded, urlVariable }
  if (maxFrom.kind === 'variable') {
    const variable = variables.get(maxFrom.variable)
    const value = wholeNumber(variable?.value)
    if (variable && value !== undefined) {
      return { ...common, max: value, place: variable.place, setBy: maxFrom.variable, isAssumed: false }
    }
    return { ...common, max: max ?? DEFAULT_MAX, place, setBy: maxFrom.variable, isAssumed: max === undefined }
  }
  if (maxFrom.kind === 'url' || (library === 'prisma' && maxFrom.kind === 'default')) {
    const parameter = maxFrom.kind === 'url' ? maxFrom.parameter : 'connection_limit'
    const name = (maxFrom.kind === 'url' ? maxFrom.variable : undefined) ?? urlVariable ?? 'DATABASE_URL'
    const variable = variables.get(name)
    const value = wholeNumber(parameterOf(variable?.value, parameter))
    if (variable && value !== undefined) {
      return { ...common, max: value, place: variable.place, setBy: `${parameter} of ${name}`, isAssumed: false }
    }
    if (maxFrom.kind === 'url') {
      return { ...common, max: max ?? DEFAULT_MAX, place, setBy: parameter, isAssumed: max === undefined }
    }
  }
  if (maxFrom.kind === 'default') {
    return { ...common, max: max ?? DEFAULT_MAX, place, setBy: `the default of ${library}`, isAssumed: false }
  }
  return { ...common, max: max ?? DEFAULT_MAX, place, setBy: 'max', isAssumed: max === undefined }
}

/** A parameter of a URL; undefined for anything that is no URL. */
function parameterOf(url: string | undefined, parameter: string): string | undefined {
  if (url === undefined) return undefined
  try {
    return parseConnectionString(url).parameter(parameter)
  } catch {
    return undefined
  }
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\s*\d{1,6}\s*$/.test(text) ? Number(text) : undefined
}
