import { startPostgres } from '../harness/index.ts'
import { type Benchmark, compare, type Figure } from './benchmark.ts'
import { checkoutPeers, nanosPerCheckout } from './checkout.ts'
import { listPools, queriesPerSecond } from './queries.ts'
import { countStormConnects } from './storm.ts'
import { microsPerWaiter } from './waiters.ts'

const MANY_WAITERS = 10_000
const FEW_WAITERS = 10

export const benchmark: Benchmark = {
  keys: {
    checkout_nanos: 'ns per connect + release of GuardedPool on a fake client, all default guards on',
    checkout_vs_pg_pool: 'against pg-pool; goal <= 0.7',
    checkout_vs_pg_pool_otel: 'against pg-pool with @opentelemetry/instrumentation-pg; goal <= 0.35',
    checkout_vs_tarn: 'against tarn',
    checkout_vs_generic_pool: 'against generic-pool',
    query_vs_pg_pool: 'queries/s against pg-pool on a real server: the lesser of the next two; goal >= 1.0',
    query_vs_pg_pool_1: 'one at a time',
    query_vs_pg_pool_32: '32 at a time over 10 connections',
    sql_error_vs_pg_pool: 'queries/s where one in five fails, against pg-pool; goal >= 3',
    storm_connects: 'attempts to connect for 200 callers on a full server in 3 s; goal <= 20',
    storm_connects_pg_pool: 'the same of pg-pool',
    waiters_10k_micros_each: 'cost of a waiter among 10,000 against among 10; goal <= 1.5',
  },
  async run(tell) {
    const figures: Record<string, Figure> = {}
    await measureCheckouts(figures, tell)
    await measureQueries(figures, tell)
    tell('a storm of callers on a full server')
    Object.assign(figures, await countStormConnects())
    tell('waiters')
    const waiters = await compare({
      ours: () => microsPerWaiter(MANY_WAITERS),
      theirs: () => microsPerWaiter(FEW_WAITERS),
    })
    figures.waiters_10k_micros_each = waiters.ratio
    return figures
  },
}

async function measureCheckouts(figures: Record<string, Figure>, tell: (text: string) => void): Promise<void> {
  await using peers = await checkoutPeers()
  for (const [name, theirs] of Object.entries(peers.others)) {
    tell(`checkouts against ${name}`)
    const { ratio, ours } = await compare({
      ours: () => nanosPerCheckout(peers.ours),
      theirs: () => nanosPerCheckout(theirs),
    })
    figures.checkout_nanos ??= ours
    figures[`checkout_vs_${name}`] = ratio
  }
}

async function measureQueries(figures: Record<string, Figure>, tell: (text: string) => void): Promise<void> {
  await using server = await startPostgres({ maxConnections: 40 })
  await using pools = listPools(server.url)
  const ratioOf = async (concurrency: number, failEvery: number) =>
    (await compare(pools.pairOf((pool) => queriesPerSecond(pool, { concurrency, failEvery })))).ratio
  tell('queries on a real server, one at a time')
  const one = await ratioOf(1, 0)
  tell('queries on a real server, 32 at a time')
  const many = await ratioOf(32, 0)
  tell('queries of which one in five fails')
  figures.query_vs_pg_pool = one.median < many.median ? one : many
  figures.query_vs_pg_pool_1 = one
  figures.query_vs_pg_pool_32 = many
  figures.sql_error_vs_pg_pool = await ratioOf(32, 5)
}
