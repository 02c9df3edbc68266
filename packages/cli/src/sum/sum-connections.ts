import { guessProvider, parseConnectionString } from '@poolguard/core/postgres'
import { t } from '../output/translate.ts'
import { databaseHost } from '../project/deployments/classify-containers.ts'
import type { Deployment, PoolerInFiles } from '../project/deployments/container.ts'
import { poolerSettings } from '../project/deployments/pooler-settings.ts'
import type { PoolerSettings } from '../project/project-facts.ts'
import { maxProcesses, type Workload } from '../project/workload.ts'
import { type AppPools, assignPools } from './assign-pools.ts'
import { connectionsOf, type PoolUse } from './pool-use.ts'

/** A workload at its largest. */
export interface SumRow {
  readonly workload: Workload
  /** Processes at the same time, at most. */
  readonly processes: number
  /** The pools of each process. */
  readonly pools: readonly PoolUse[]
  readonly connections: number
  /** The pooler that the workload connects to, in place of the server. */
  readonly through: string | undefined
}

/** A pooler's own connections to the server. */
export interface PoolerRow {
  readonly name: string
  readonly settings: PoolerSettings
  readonly processes: number
  /** Connections that clients open, at most. */
  readonly clients: number
  /** Connections to the server, at most. */
  readonly connections: number
}

/** All connections that one deployment may open. */
export interface ConnectionSum {
  readonly deployment: Deployment
  readonly rows: readonly SumRow[]
  readonly poolers: readonly PoolerRow[]
  /** Connections to the server, at most: of workloads without a pooler, and of poolers. */
  readonly total: number
  readonly assumed: readonly string[]
  /** No file says how many instances run. */
  readonly isAssumed: boolean
}

/** PgBouncer's defaults: https://www.pgbouncer.org/config.html */
const DEFAULT_POOL_SIZE = 20

/** A pooler that no deployment file starts, but whose configuration is in the project. */
const UNDEPLOYED_POOLER = 'PgBouncer'

/**
 * Adds up every pool of every workload at its largest.
 *
 * @param apps the apps of the project with their pools.
 * @param configured the settings of a `pgbouncer.ini`, which a deployment's pooler reads.
 */
export function sumConnections(
  deployment: Deployment & { readonly isAssumed?: boolean },
  apps: readonly AppPools[],
  configured: PoolerSettings | undefined,
): ConnectionSum {
  const notes: string[] = []
  const rows = deployment.workloads
    .filter(({ kind }) => kind !== 'dev')
    .flatMap((workload) => {
      const { pools: uses, assumption } = assignPools(workload, apps)
      if (assumption) notes.push(assumption)
      return uses.length === 0 ? [] : rowsOf(workload, uses, deployment, configured)
    })
  const poolers = poolerRows(rows, deployment, configured)
  const direct = rows.filter(({ through }) => through === undefined)
  const total = [...direct, ...poolers].reduce((sum, { connections }) => sum + connections, 0)
  return {
    deployment,
    rows,
    poolers,
    total,
    assumed: [...new Set([...deployment.assumed, ...notes])],
    isAssumed: deployment.isAssumed === true,
  }
}

/** One row for each target: a process can have a pool at the pooler and another one at the server. */
function rowsOf(
  workload: Workload,
  uses: readonly PoolUse[],
  deployment: Deployment,
  configured: PoolerSettings | undefined,
): readonly SumRow[] {
  const targets = Map.groupBy(uses, (use) => poolerFor(workload, use, deployment, configured))
  const processes = maxProcesses(workload)
  return [...targets].map(([through, pools]) => ({
    ...{ workload, processes, pools, through },
    connections: processes * pools.reduce((sum, pool) => sum + connectionsOf(pool), 0),
  }))
}

/** The pooler that a pool connects to; the address decides, and without one an existing pooler is assumed. */
function poolerFor(
  workload: Workload,
  { urlVariable, library }: PoolUse,
  { poolers }: Deployment,
  configured: PoolerSettings | undefined,
): string | undefined {
  const host = databaseHost(workload, urlVariable)
  if (host === undefined) {
    // Migrations need a session, and so go past a pooler.
    if (library === 'migrations') return undefined
    return poolers[0]?.name ?? (configured && UNDEPLOYED_POOLER)
  }
  const named = poolers.find(
    ({ name }) => host === name || host === name.split('/').at(-1) || host.startsWith(`${name}.`),
  )
  const beside = poolers.find(({ name }) => isLocal(host) && name.startsWith(`${workload.name}/`))
  if (named ?? beside) return (named ?? beside)?.name
  if (/pgbouncer/.test(host)) return poolers[0]?.name ?? UNDEPLOYED_POOLER
  return providerPooler(workload, urlVariable)
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '[::1]'
}

/** The pooler of a managed service, by its address. */
function providerPooler({ variables }: Workload, urlVariable = 'DATABASE_URL'): string | undefined {
  const url = variables.get(urlVariable)?.value
  if (url === undefined) return undefined
  try {
    const guess = guessProvider(parseConnectionString(url))
    return guess && /pooler/.test(guess.endpoint) ? t`pooler of ${guess.provider}` : undefined
  } catch {
    return undefined
  }
}

function poolerRows(
  rows: readonly SumRow[],
  { poolers }: Deployment,
  configured: PoolerSettings | undefined,
): readonly PoolerRow[] {
  const clientsOf = (name: string) =>
    rows.filter(({ through }) => through === name).reduce((sum, { connections }) => sum + connections, 0)
  const deployed = poolers.map((pooler) => poolerRow(pooler, configured, clientsOf(pooler.name)))
  const clients = clientsOf(UNDEPLOYED_POOLER)
  if (configured && poolers.length === 0 && clients > 0) {
    const connections = serverConnections(configured)
    return [{ name: UNDEPLOYED_POOLER, settings: configured, processes: 1, clients, connections }]
  }
  return deployed
}

function poolerRow(pooler: PoolerInFiles, configured: PoolerSettings | undefined, clients: number): PoolerRow {
  const settings = configured ?? poolerSettings(pooler, pooler.place.file)
  const { name, processes } = pooler
  return { name, settings, processes, clients, connections: processes * serverConnections(settings) }
}

/** The connections of one process of PgBouncer: a pool for each database, for one user. */
function serverConnections({ values, databases }: PoolerSettings): number {
  const number = (name: string, byDefault: number) => {
    const value = values.get(name) ?? ''
    return /^\d{1,6}$/.test(value) ? Number(value) : byDefault
  }
  const each = number('default_pool_size', DEFAULT_POOL_SIZE) + number('reserve_pool_size', 0)
  const bound = number('max_db_connections', 0)
  return databases * (bound > 0 ? Math.min(each, bound) : each)
}
