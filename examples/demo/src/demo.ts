import { fileURLToPath } from 'node:url'
import {
  generatePrismaClient,
  type PostgresServer,
  pgBouncerAvailability,
  startPgBouncer,
  startPostgres,
  waitUntil,
} from '@poolguard/test/harness'
import type { AppEnvironment, StoreName } from './app/environment.ts'
import { ACCOUNTS } from './app/load.ts'
import type { AppResult } from './app/main.ts'
import { type Figures, sumUp } from './figures.ts'
import { runFleet } from './fleet.ts'
import { PeakWatch } from './peak.ts'

/** The output of `--json`. */
export interface DemoResult {
  readonly direct: { readonly unguarded: Figures; readonly guarded: Figures }
  readonly pooler: PoolerResult | { readonly unavailable: string }
}

export interface PoolerResult {
  /** The version that PgBouncer reports. */
  readonly version: string
  /** The pool mode that poolguard detected. */
  readonly detected: string
  readonly preparedStatements: string
  readonly guarded: Figures
}

/** Reports the demo's progress. */
export interface Progress {
  /** Reports the start of a part. Call the returned function with the outcome. */
  begin(title: string): (outcome: string) => void
}

export const MAX_CONNECTIONS = 20
const INSTANCES = 6
const HOME = fileURLToPath(new URL('..', import.meta.url))
const SERVER_CONNECTIONS = 10

/** Runs the three parts on its own PostgreSQL and PgBouncer. */
export async function runDemo(progress: Progress): Promise<DemoResult> {
  const starting = progress.begin(`Starting PostgreSQL with max_connections = ${MAX_CONNECTIONS}`)
  await using server = await startPostgres({ version: 18, maxConnections: MAX_CONNECTIONS })
  await prepareServer(server)
  starting(`PostgreSQL ${server.version} runs with max_connections = ${MAX_CONNECTIONS}, 17 of them available to apps`)

  const unguarded = await runDirect(server, 'unguarded', progress)
  const guarded = await runDirect(server, 'guarded', progress)
  return { direct: { unguarded, guarded }, pooler: await runPooled(server, progress) }
}

/** Creates the accounts, and the Prisma client of the app. */
export async function prepareServer(server: PostgresServer): Promise<void> {
  await createAccounts(server)
  await generatePrismaClient(HOME)
}

async function createAccounts(server: PostgresServer): Promise<void> {
  await server.query('create table account (id int primary key, owner text not null, balance int not null)')
  await server.query('alter table account owner to app')
  await server.query(`insert into account select id, 'owner ' || id, 100 from generate_series(1, $1::int) id`, [
    ACCOUNTS,
  ])
}

async function runDirect(server: PostgresServer, kind: 'unguarded' | 'guarded', progress: Progress): Promise<Figures> {
  const setup = kind === 'guarded' ? 'with poolguard, as a fleet' : 'with the default pools'
  const done = progress.begin(`Six app processes ${setup}`)
  const environment = { DATABASE_URL: server.url, CONCURRENCY: '20', REQUESTS: '40' }
  const guard = kind === 'guarded' ? { FLEET: 'demo' } : {}
  const stores: StoreName[] = kind === 'guarded' ? ['drizzle-guarded', 'prisma-guarded'] : ['drizzle', 'prisma']
  const { figures } = await measure(
    server,
    Array.from({ length: INSTANCES }, (_, i) => ({ ...environment, ...guard, STORE: stores[i % 2] as StoreName })),
  )
  done(`Six app processes ${setup}: ${describeFailures(figures)}`)
  return figures
}

async function runPooled(server: PostgresServer, progress: Progress): Promise<DemoResult['pooler']> {
  const availability = await pgBouncerAvailability()
  if (!availability.available) {
    progress.begin('PgBouncer')(`Without PgBouncer: ${availability.how}`)
    return { unavailable: availability.how }
  }
  const starting = progress.begin('200 concurrent clients through PgBouncer')
  await using pooler = await startPgBouncer({
    poolMode: 'transaction',
    settings: { default_pool_size: SERVER_CONNECTIONS, max_client_conn: 1000 },
    upstream: server,
  })
  const environment = { DATABASE_URL: pooler.url, CONCURRENCY: '50', REQUESTS: '20', POOL_MAX: '50' }
  const stores: StoreName[] = ['drizzle-guarded', 'prisma-guarded', 'drizzle-guarded', 'prisma-guarded']
  const { figures, results } = await measure(
    server,
    stores.map((STORE) => ({ ...environment, STORE })),
  )
  const found = results.flatMap(({ topologies }) => topologies)
  const distinct = (values: string[]) => [...new Set(values)].join(', ') || 'nothing'
  const description = distinct(found.map((each) => each.description))
  starting(
    `200 concurrent clients on ${figures.peakConnections} server connections (detected: ${description}): ${describeFailures(figures)}`,
  )
  return {
    version: pooler.version,
    detected: distinct(
      found.map(({ topology }) => (topology.kind === 'pooler' ? topology.pooler.mode : topology.kind)),
    ),
    preparedStatements: distinct(found.map(({ topology }) => topology.preparedStatements)),
    guarded: figures,
  }
}

async function measure(
  server: PostgresServer,
  environments: readonly AppEnvironment[],
): Promise<{ figures: Figures; results: AppResult[] }> {
  const isDisconnected = async () => (await server.connectionCount()) === 0
  await waitUntil(isDisconnected, { what: 'the connections of the previous part to close' })
  await using watch = await PeakWatch.start(server.adminUrl, 'app')
  const results = await runFleet(environments)
  return { figures: sumUp(results, watch.peak), results }
}

export function describeFailures({ requests, failed, sqlstates }: Figures): string {
  if (failed === 0) return `none of ${requests} requests failed`
  const causes = Object.entries(sqlstates).map(([sqlstate, count]) => `${count} with SQLSTATE ${sqlstate}`)
  return `${failed} of ${requests} requests failed (${causes.join(', ')})`
}
