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

/** What `--json` prints. */
export interface DemoResult {
  readonly direct: { readonly unguarded: Figures; readonly guarded: Figures }
  readonly pooler: PoolerResult | { readonly unavailable: string }
}

export interface PoolerResult {
  /** PgBouncer's own word for it. */
  readonly version: string
  /** The pool mode that poolguard found. */
  readonly detected: string
  readonly preparedStatements: string
  readonly guarded: Figures
}

/** Told what is going on, for those who watch. */
export interface Progress {
  /** A part begins; call what it returns with its outcome. */
  begin(title: string): (outcome: string) => void
}

export const MAX_CONNECTIONS = 20
const INSTANCES = 6
const HOME = fileURLToPath(new URL('..', import.meta.url))
const SERVER_CONNECTIONS = 10

/** Runs the three parts on a PostgreSQL and a PgBouncer of their own. */
export async function runDemo(progress: Progress): Promise<DemoResult> {
  const starting = progress.begin(`Starting PostgreSQL with max_connections = ${MAX_CONNECTIONS}`)
  await using server = await startPostgres({ version: 18, maxConnections: MAX_CONNECTIONS })
  await makeAccounts(server)
  await generatePrismaClient(HOME)
  starting(`PostgreSQL ${server.version} runs with max_connections = ${MAX_CONNECTIONS}, of which an app can have 17`)

  const unguarded = await runDirect(server, 'unguarded', progress)
  const guarded = await runDirect(server, 'guarded', progress)
  return { direct: { unguarded, guarded }, pooler: await runPooled(server, progress) }
}

async function makeAccounts(server: PostgresServer): Promise<void> {
  await server.query('create table account (id int primary key, owner text not null, balance int not null)')
  await server.query('alter table account owner to app')
  await server.query(`insert into account select id, 'owner ' || id, 100 from generate_series(1, $1::int) id`, [
    ACCOUNTS,
  ])
}

async function runDirect(server: PostgresServer, kind: 'unguarded' | 'guarded', progress: Progress): Promise<Figures> {
  const what = kind === 'guarded' ? 'with poolguard, none of which knows of the others' : 'with the defaults'
  const done = progress.begin(`Six app processes ${what}`)
  const environment = { DATABASE_URL: server.url, CONCURRENCY: '20', REQUESTS: '40' }
  const guard = kind === 'guarded' ? { FLEET: 'demo' } : {}
  const stores: StoreName[] = kind === 'guarded' ? ['drizzle-guarded', 'prisma-guarded'] : ['drizzle', 'prisma']
  const { figures } = await measure(
    server,
    Array.from({ length: INSTANCES }, (_, i) => ({ ...environment, ...guard, STORE: stores[i % 2] as StoreName })),
  )
  done(`Six app processes ${what}: ${describeFailures(figures)}`)
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
  const agreed = (values: string[]) => [...new Set(values)].join(', ') || 'nothing'
  const description = agreed(found.map((each) => each.description))
  starting(
    `200 concurrent clients on ${figures.peakConnections} server connections (found: ${description}): ${describeFailures(figures)}`,
  )
  return {
    version: pooler.version,
    detected: agreed(found.map(({ topology }) => (topology.kind === 'pooler' ? topology.pooler.mode : topology.kind))),
    preparedStatements: agreed(found.map(({ topology }) => topology.preparedStatements)),
    guarded: figures,
  }
}

async function measure(
  server: PostgresServer,
  environments: readonly AppEnvironment[],
): Promise<{ figures: Figures; results: AppResult[] }> {
  const appsConnections = async () => (await server.connectionCount()) === 0
  await waitUntil(appsConnections, { what: 'the connections of the part before to be gone' })
  await using watch = await PeakWatch.start(server.adminUrl, 'app')
  const results = await runFleet(environments)
  return { figures: sumUp(results, watch.peak), results }
}

export function describeFailures({ requests, failed, sqlstates }: Figures): string {
  if (failed === 0) return `none of ${requests} requests failed`
  const causes = Object.entries(sqlstates).map(([sqlstate, count]) => `${count} with SQLSTATE ${sqlstate}`)
  return `${failed} of ${requests} requests failed (${causes.join(', ')})`
}
