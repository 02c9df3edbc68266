import { poolsOfApp, programsOf } from '../project/apps/app-in-project.ts'
import type { PoolInSource } from '../project/pool-in-source.ts'
import type { Facts } from './facts.ts'

/** The default of pg and postgres.js, and so of Drizzle, TypeORM and Prisma 7. */
const DEFAULT_MAX = 10

export interface ProcessConnections {
  /** Connections that all pools of one process may open. */
  readonly value: number
  readonly pools: number
  /** For evidence: `max 20 (src/db.ts:4)`. */
  readonly text: string
}

/**
 * The connections of one process, from the pools in the sources; otherwise from the default of its driver. In a monorepo, those
 * of the app with the most. Undefined if nothing is known.
 */
export function connectionsPerProcess({ project, target }: Facts): ProcessConnections | undefined {
  const limit = project.drivers.includes('prisma-engine') ? target?.url.parameter('connection_limit') : undefined
  if (limit !== undefined && /^\d{1,6}$/.test(limit))
    return { value: Number(limit), pools: 1, text: `max ${limit} (connection_limit of ${target?.source})` }
  const programs = programsOf(project.apps).map((app) => poolsOfApp(project.apps, app))
  const candidates = programs.length > 0 ? programs : [project.pools]
  const [largest] = candidates
    .map(ofPools)
    .filter((each) => each !== undefined)
    .sort((a, b) => b.value - a.value)
  if (largest) return largest
  const known = project.drivers.some((driver) => driver !== 'prisma-engine')
  return known ? { value: DEFAULT_MAX, pools: 1, text: `max ${DEFAULT_MAX} (the driver's default)` } : undefined
}

/** Pools of scripts are not open in the app's processes. A pool whose size is unknown counts with the default of its driver. */
function ofPools(pools: readonly PoolInSource[]): ProcessConnections | undefined {
  const open = pools.filter(({ role }) => role === 'app')
  const [only] = open
  if (!only) return undefined
  const count = open.reduce((sum, each) => sum + each.pools, 0)
  const value = open.reduce((sum, each) => sum + each.pools * (each.max ?? DEFAULT_MAX), 0)
  if (count === 1) return { value, pools: 1, text: `max ${value} (${placeOfSize(only)})` }
  const list = open.map(
    (each) => `${each.pools > 1 ? `${each.pools} x ` : ''}max ${each.max ?? DEFAULT_MAX} in ${placeOfSize(each)}`,
  )
  return { value, pools: count, text: `${value} in ${count} pools (${list.join(', ')})` }
}

/** The line that sets the size of a pool. */
export function placeOfSize({ maxFile, maxLine, maxFrom, library }: PoolInSource): string {
  const place = `${maxFile}:${maxLine}`
  return maxFrom.kind === 'default' ? `${place}, the default of ${library}` : place
}
