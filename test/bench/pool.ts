import { GuardedPool } from '@poolguard/pg'
import pg from 'pg'
import { startPostgres } from '../harness/index.ts'
import { type Benchmark, compare, type Figure } from './benchmark.ts'
import { FakeClient } from './fake-client.ts'

const CHECKOUTS = 100_000
const QUERIES = 10_000
const CONNECTIONS = 10

export const benchmark: Benchmark = {
  keys: {
    checkout_nanos: 'ns per connect + release of GuardedPool on a fake client, all default guards on',
    checkout_nanos_pg_pool: 'the same of pg-pool',
    checkout_vs_pg_pool: 'their ratio; less is better',
    query_vs_pg_pool_1: 'queries/s against pg-pool on a real server, one at a time; more is better',
    query_vs_pg_pool_32: 'the same, 32 at a time over 10 connections',
    sql_error_vs_pg_pool: 'queries/s against pg-pool where one in five fails, 32 at a time; more is better',
  },
  async run(tell) {
    const figures: Record<string, Figure> = {}
    tell('checkouts on a fake client')
    const checkout = await compareCheckouts()
    figures.checkout_nanos = checkout.ours
    figures.checkout_nanos_pg_pool = checkout.theirs
    figures.checkout_vs_pg_pool = checkout.ratio

    await using server = await startPostgres({ maxConnections: 40 })
    await using pools = openPools(server.url)
    for (const concurrency of [1, 32]) {
      tell(`queries on a real server, ${concurrency} at a time`)
      const { ratio } = await compare(pools.pairOf((pool) => queriesPerSecond(pool, concurrency, 0)))
      figures[`query_vs_pg_pool_${concurrency}`] = ratio
    }
    tell('queries of which one in five fails')
    figures.sql_error_vs_pg_pool = (await compare(pools.pairOf((pool) => queriesPerSecond(pool, 32, 5)))).ratio
    return figures
  },
}

async function compareCheckouts() {
  const options = { max: CONNECTIONS, Client: FakeClient as never }
  const ours = new GuardedPool({ ...options, pooler: 'none', name: 'bench' })
  const theirs = new pg.Pool(options)
  await ours.ready()
  const figures = await compare({ ours: () => nanosPerCheckout(ours), theirs: () => nanosPerCheckout(theirs) })
  await Promise.all([ours.end(), theirs.end()])
  return figures
}

async function nanosPerCheckout(pool: pg.Pool): Promise<number> {
  const began = process.hrtime.bigint()
  for (let i = 0; i < CHECKOUTS; i++) {
    const client = await pool.connect()
    client.release()
  }
  return Number(process.hrtime.bigint() - began) / CHECKOUTS
}

function openPools(url: string) {
  const ours = new GuardedPool({ url, max: CONNECTIONS })
  const theirs = new pg.Pool({ connectionString: url, max: CONNECTIONS })
  return {
    pairOf: (measure: (pool: pg.Pool) => Promise<number>) => ({
      ours: () => measure(ours),
      theirs: () => measure(theirs),
    }),
    async [Symbol.asyncDispose]() {
      await Promise.all([ours.end(), theirs.end()])
    },
  }
}

/** `failEvery` 5: one in five is a statement with an error; 0: none. */
async function queriesPerSecond(pool: pg.Pool, concurrency: number, failEvery: number): Promise<number> {
  let sent = 0
  const line = async () => {
    while (sent < QUERIES) {
      const number = sent++
      const fails = failEvery > 0 && number % failEvery === 0
      if (fails) await pool.query('select nothing').catch(expectSqlError)
      else await pool.query('select $1::int as n', [number])
    }
  }
  const began = performance.now()
  await Promise.all(Array.from({ length: concurrency }, line))
  return (QUERIES / (performance.now() - began)) * 1_000
}

function expectSqlError(error: unknown): void {
  if (!(error instanceof pg.DatabaseError)) throw error
}
