import type { PoolMode, Topology } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import pg from 'pg'
import { type PgBouncerVersion, type PostgresServer, startPgBouncer } from '../harness/index.ts'
import { matrix } from '../matrix.ts'

/** One pooler to be found out. */
export interface Target {
  readonly poolMode: PoolMode
  readonly poolSize: number
  readonly minPoolSize: number
  readonly roundRobin: number
  /** Absent where the version does not know the setting. */
  readonly maxPreparedStatements?: number
  readonly postgres: 15 | 18
  /** Whether other clients work through it at the same time. */
  readonly traffic: boolean
}

/** The targets for one version of PgBouncer: see {@link matrix} for how many. */
export function targetsFor(version: PgBouncerVersion): Target[] {
  const cases = matrix({
    poolMode: ['session', 'transaction', 'statement'],
    poolSize: [1, 2, 20],
    minPoolSize: [0, 5],
    roundRobin: [0, 1],
    maxPreparedStatements: version === '1.18' ? [-1] : [0, 200],
    postgres: [15, 18],
    traffic: [false, true],
  })
  return cases.map(({ maxPreparedStatements, ...rest }) => ({
    ...(rest as unknown as Target),
    ...(maxPreparedStatements !== -1 && { maxPreparedStatements: maxPreparedStatements as number }),
  }))
}

/** What was found at a target, and how many round trips that took beside the one for the capacity. */
export interface Finding {
  readonly topology: Topology | null
  readonly roundTrips: number
}

/** Finds out what is at the other end of a URL, as a pool does with its first connections. */
export async function findAt(url: string): Promise<Finding> {
  const pool = new GuardedPool({ url })
  let answers = 0
  pool.on('connect', (client) => {
    const { connection } = client as unknown as { connection: NodeJS.EventEmitter }
    connection.on('readyForQuery', () => answers++)
  })
  try {
    const { topology } = await pool.ready()
    return { topology, roundTrips: answers - 1 }
  } finally {
    await pool.end()
  }
}

/** Starts the target's pooler, and finds it out. */
export async function findTarget(
  version: PgBouncerVersion,
  target: Target,
  upstream: PostgresServer,
): Promise<Finding> {
  await using pooler = await startPgBouncer({
    version,
    poolMode: target.poolMode,
    upstream,
    settings: {
      default_pool_size: target.poolSize,
      min_pool_size: target.minPoolSize,
      server_round_robin: target.roundRobin,
      ...(target.maxPreparedStatements !== undefined && { max_prepared_statements: target.maxPreparedStatements }),
    },
  })
  await using _traffic = target.traffic ? await startTraffic(pooler.url, target.poolMode) : undefined
  return await findAt(pooler.url)
}

/**
 * What is wrong with a verdict; undefined where it is right, or says of itself that it is not certain. In a pool that is held by
 * others the whole time nothing can be found out.
 */
export function wrongAbout(target: Target, topology: Topology | null): string | undefined {
  if (!topology) return 'no verdict'
  if (topology.kind === 'unknown') return target.traffic ? undefined : 'unknown, although there were no other clients'
  if (topology.kind === 'direct') return 'taken for PostgreSQL itself'
  const { mode, proven } = topology.pooler
  const assumed = mode === 'transaction' && !proven
  if (mode !== target.poolMode && !(assumed && target.traffic))
    return `taken for ${mode} mode${proven ? '' : ', unproven'}`
  const works = target.poolMode === 'session' || target.maxPreparedStatements === 200
  const claimed = topology.preparedStatements
  if (claimed === (works ? 'unsafe' : 'safe')) return `prepared statements taken for ${claimed}`
  return undefined
}

const TRAFFIC_CLIENTS = 4

/** Clients that come and go, as an app's would. */
async function startTraffic(url: string, poolMode: PoolMode): Promise<AsyncDisposable> {
  let stopped = false
  const pool = new pg.Pool({ connectionString: url, max: TRAFFIC_CLIENTS })
  pool.on('error', () => {})
  const begun = Promise.withResolvers<void>()
  const work = async (): Promise<void> => {
    while (!stopped) {
      const client = await pool.connect()
      try {
        if (poolMode !== 'statement') await client.query('begin')
        await client.query(`select pg_sleep(${Math.random() * 0.003})`)
        if (poolMode !== 'statement') await client.query('commit')
      } finally {
        // In session mode a client keeps its server until it leaves, and others wait for it.
        client.release(stopped || Math.random() < 0.1)
      }
      begun.resolve()
    }
  }
  const lines = Promise.allSettled(Array.from({ length: TRAFFIC_CLIENTS }, work))
  await begun.promise
  return {
    async [Symbol.asyncDispose]() {
      stopped = true
      await lines
      await pool.end()
    },
  }
}
