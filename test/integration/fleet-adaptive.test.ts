import { GuardedPool } from '@poolguard/pg'
import { expect, test } from 'vitest'
import { describeWithPgBouncer, startPgBouncer, startPostgres, waitUntil } from '../harness/index.ts'

const INSTANCES = 3

// Both wait for most of their time.
test.concurrent('the instances of a fleet find one limit together, divide it, and answer every caller', async () => {
  await using server = await startPostgres({ maxConnections: 60 })
  await expectOneLimit(server.url)
})

const describePooler = await describeWithPgBouncer()
describePooler('behind PgBouncer', { concurrent: true }, () => {
  test('the instances of a fleet find one limit together, divide it, and answer every caller', async () => {
    await using server = await startPostgres({ maxConnections: 60 })
    const settings = { stats_users: 'app', max_client_conn: 100, default_pool_size: 40 }
    await using pooler = await startPgBouncer({ poolMode: 'transaction', upstream: server, settings })
    await expectOneLimit(pooler.url)
  })
})

async function expectOneLimit(url: string): Promise<void> {
  const pools = Array.from(
    { length: INSTANCES },
    () =>
      new GuardedPool({
        url,
        fleet: { app: 'orders', adaptive: true, intervalMillis: 1_000 },
        pool: { serverCores: 4 },
      }),
  )
  let isDone = false
  const callers = pools.flatMap((pool) =>
    Array.from({ length: 30 }, async () => {
      while (!isDone) await pool.query('select pg_sleep(0.002)')
    }),
  )
  const snapshots = () => pools.map((pool) => pool.snapshot())
  try {
    await waitUntil(() => snapshots().some(({ adaptiveLimit }) => adaptiveLimit?.last), {
      what: 'the first comparison',
    })
    await waitUntil(
      () => {
        const totals = snapshots().map(({ fleet }) => fleet?.adaptiveLimit)
        const parts = snapshots().map(({ adaptiveLimit }) => adaptiveLimit?.base ?? 0)
        return new Set(totals).size === 1 && parts.reduce((sum, part) => sum + part, 0) === totals[0]
      },
      { what: 'parts of one total' },
    )
  } finally {
    isDone = true
  }
  await Promise.all(callers)

  for (const { stats, settings } of pools.map((pool) => ({ ...pool.snapshot(), settings: pool.settings }))) {
    expect(stats).toMatchObject({ waiting: 0, timeouts: 0 })
    expect(settings.reasons.limit).toBe('fleet.adaptive')
  }
  await Promise.all(pools.map((pool) => pool.end()))
}
