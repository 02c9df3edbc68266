import { drizzle } from '@poolguard/drizzle/node-postgres'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { eq } from 'drizzle-orm'
import { drizzle as plainDrizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable, text } from 'drizzle-orm/pg-core'
import pg from 'pg'
import postgres from 'postgres'
import { PrismaClient } from '../generated/prisma/client.ts'
import { type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'
import { type Benchmark, compare, type Figure, summarise } from './benchmark.ts'
import { startDistant } from './distant.ts'

const CALLERS = 64
const CONNECTIONS = 4
const MEASURED_MILLIS = 400
/** The proxy delays each direction by this: a round trip takes 2 ms longer. */
const LATENCY_MILLIS = 1
/** One query in so many sleeps for 50 ms. */
const SLOW_EVERY = 400
/** The server's own limit is the best of these numbers of connections. */
const SATURATING_CONNECTIONS = [2, 4, 8, 16]
/** So many callers that the round trip does not limit the queries per second: 64 callers send at most 32,000 over 2 ms. */
const SATURATING_CALLERS = 256
const MEASUREMENTS = 9

/** Runs one query that contains its number; resolves to the number in the result. */
type Echo = (n: number) => Promise<number>

const account = pgTable('account', { id: integer().primaryKey(), owner: text().notNull() })
let wrong = 0

export const benchmark: Benchmark = {
  keys: {
    direct_4_connections_2ms:
      '64 callers, 4 connections, 2 ms away: queries/s, pipelined GuardedPool / pg.Pool; goal >= 5',
    pgbouncer_4_connections_2ms: 'the same through PgBouncer 1.26 in transaction mode; goal >= 5',
    over_postgres_js_2ms: 'pipelined guardPostgres / postgres.js; goal >= 0.95',
    direct_4_connections_loopback: 'GuardedPool / pg.Pool on loopback; goal >= 1.5',
    p99_with_slow_queries: '1 query in 400 sleeps 50 ms: 99th percentile, pipelined / not; goal <= 1',
    uncontended: '10 callers on 10 connections: queries/s, pipeline reads / off; goal >= 0.98',
    prisma_4_connections_2ms: 'Prisma: queries/s, guarded and pipelined / its own pool; goal >= 3',
    drizzle_4_connections_2ms: 'Drizzle: queries/s, guarded and pipelined / its own pool; goal >= 3',
    of_server_limit:
      '256 callers: queries/s with 4 connections at 2 ms / the most that the server answers on loopback; goal >= 0.7',
    of_limit_through_proxy:
      'the same / the most that the server answers through the proxy without its delay, so that both pay for the proxy',
    wrong_results: "results without their caller's number; goal 0",
  },
  async run(tell) {
    await using server = await startPostgres({ maxConnections: 120 })
    await makeAccounts(server)
    await using pooler = await startPgBouncer({
      ...{ version: '1.26', poolMode: 'transaction', upstream: server },
      settings: { max_prepared_statements: 200, default_pool_size: 8 },
    })
    await using distant = await startDistant(server.url, LATENCY_MILLIS)
    await using undelayed = await startDistant(server.url, 0)
    await using distantPooler = await startDistant(pooler.url, LATENCY_MILLIS)
    const far = distant.url
    const figures: Record<string, Figure> = {}
    const steps: readonly (readonly [name: string, measure: () => Promise<Figure>])[] = [
      ['direct_4_connections_2ms', () => overPgPool(far)],
      ['pgbouncer_4_connections_2ms', () => overPgPool(distantPooler.url)],
      ['over_postgres_js_2ms', () => overPostgresJs(far)],
      ['direct_4_connections_loopback', () => overPgPool(server.url)],
      ['p99_with_slow_queries', () => slowQueries(far)],
      ['uncontended', () => uncontended(server.url)],
      ['prisma_4_connections_2ms', () => prisma(far)],
      ['drizzle_4_connections_2ms', () => drizzles(far)],
      ['of_server_limit', () => ofServerLimit(far, server.url)],
      ['of_limit_through_proxy', () => ofServerLimit(far, undelayed.url)],
    ]
    for (const [name, measure] of steps) {
      tell(name)
      figures[name] = await measure()
    }
    return { ...figures, wrong_results: wrong }
  },
}

async function makeAccounts(server: PostgresServer): Promise<void> {
  await server.query(`
    create table account (id int primary key, owner text not null, balance int not null default 0);
    insert into account select id, 'owner ' || id from generate_series(1, 1000) id;
    alter table account owner to app;
    analyze account`)
}

async function guardedPool(url: string, pipeline: 'reads' | 'off', max = CONNECTIONS): Promise<GuardedPool> {
  const pool = new GuardedPool({ url, name: `${pipeline} ${max}`, pool: { max, pipeline } })
  await pool.ready()
  return pool
}

const ECHO = 'select $1::int as n'

function echoOf(pool: Pick<pg.Pool, 'query'>): Echo {
  return async (n) => (await pool.query(ECHO, [n])).rows[0].n
}

/** Queries per second of concurrent callers, each of which checks its result. */
async function rateOf(echo: Echo, callers = CALLERS): Promise<number> {
  let sent = 0
  const began = performance.now()
  const caller = async () => {
    while (performance.now() - began < MEASURED_MILLIS) {
      const n = sent++
      if ((await echo(n)) !== n) wrong++
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  return (sent / (performance.now() - began)) * 1_000
}

async function overPgPool(url: string): Promise<Figure> {
  const [ours, theirs] = [await guardedPool(url, 'reads'), new pg.Pool({ connectionString: url, max: CONNECTIONS })]
  const { ratio } = await compare({ ours: () => rateOf(echoOf(ours)), theirs: () => rateOf(echoOf(theirs)) })
  await Promise.all([ours.end(), theirs.end()])
  return ratio
}

async function overPostgresJs(url: string): Promise<Figure> {
  const ours = guardPostgres(url, { pool: { max: CONNECTIONS, pipeline: 'reads' } })
  await ours.ready()
  const theirs = postgres(url, { max: CONNECTIONS })
  const rate = (sql: typeof theirs) => rateOf(async (n) => (await sql`select ${n}::int as n`)[0]?.n)
  const { ratio } = await compare({ ours: () => rate(ours), theirs: () => rate(theirs) })
  await Promise.all([ours.end(), theirs.end()])
  return ratio
}

async function slowQueries(url: string): Promise<Figure> {
  const [ours, theirs] = [await guardedPool(url, 'reads'), await guardedPool(url, 'off')]
  const p99 = async (pool: GuardedPool) => {
    const latencies: number[] = []
    const echo = echoOf(pool)
    await rateOf(async (n) => {
      const began = performance.now()
      if (n % SLOW_EVERY === 0) await pool.query('select pg_sleep(0.05)')
      const result = n % SLOW_EVERY === 0 ? n : await echo(n)
      latencies.push(performance.now() - began)
      return result
    })
    return latencies.sort((a, b) => a - b)[Math.floor(latencies.length * 0.99)] ?? 0
  }
  const { ratio } = await compare({ ours: () => p99(ours), theirs: () => p99(theirs) })
  await Promise.all([ours.end(), theirs.end()])
  return ratio
}

async function uncontended(url: string): Promise<Figure> {
  const [ours, theirs] = [await guardedPool(url, 'reads', 10), await guardedPool(url, 'off', 10)]
  const { ratio } = await compare({ ours: () => rateOf(echoOf(ours), 10), theirs: () => rateOf(echoOf(theirs), 10) })
  await Promise.all([ours.end(), theirs.end()])
  return ratio
}

/** findFirst, because Prisma combines concurrent findUnique into one query. */
async function prisma(url: string): Promise<Figure> {
  const pool = { max: CONNECTIONS, pipeline: 'reads' } as const
  const ours = new PrismaClient({ adapter: new PrismaPg({ url, name: 'prisma', pool }) })
  const theirs = new PrismaClient({ adapter: new PlainPrismaPg({ connectionString: url, max: CONNECTIONS }) })
  const rate = (client: PrismaClient) =>
    rateOf(async (n) => {
      const id = (n % 1_000) + 1
      return (await client.account.findFirst({ where: { id } }))?.id === id ? n : -1
    })
  const { ratio } = await compare({ ours: () => rate(ours), theirs: () => rate(theirs) })
  await Promise.all([ours.$disconnect(), theirs.$disconnect()])
  return ratio
}

async function drizzles(url: string): Promise<Figure> {
  const pool = { max: CONNECTIONS, pipeline: 'reads' } as const
  const ours = drizzle({ connection: { url, name: 'drizzle', pool } })
  const client = new pg.Pool({ connectionString: url, max: CONNECTIONS })
  const theirs = plainDrizzle({ client })
  const rate = (database: Pick<typeof theirs, 'select'>) =>
    rateOf(async (n) => {
      const id = (n % 1_000) + 1
      const [row] = await database.select().from(account).where(eq(account.id, id))
      return row?.id === id ? n : -1
    })
  const { ratio } = await compare({ ours: () => rate(ours), theirs: () => rate(theirs) })
  await Promise.all([ours.$client.end(), client.end()])
  return ratio
}

/** The limit is the best of several numbers of connections, with and without pipelining, measured in turns with ours. */
async function ofServerLimit(far: string, near: string): Promise<Figure> {
  const ours = await guardedPool(far, 'reads')
  const limits = await Promise.all(
    SATURATING_CONNECTIONS.flatMap((max) => [guardedPool(near, 'reads', max), guardedPool(near, 'off', max)]),
  )
  const ratios: number[] = []
  for (let turn = 0; turn <= MEASUREMENTS; turn++) {
    const rate = await rateOf(echoOf(ours), SATURATING_CALLERS)
    let most = 0
    for (const pool of limits) most = Math.max(most, await rateOf(echoOf(pool), SATURATING_CALLERS))
    // The first turn warms up.
    if (turn > 0) ratios.push(rate / most)
  }
  await Promise.all([ours, ...limits].map((pool) => pool.end()))
  return summarise(ratios)
}
