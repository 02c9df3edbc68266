import { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, startProxy } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

test('given idle connections that a black hole has swallowed, then a caller gets a new one by its deadline', async () => {
  await using proxy = await startProxy({ target: server })
  const pool = new GuardedPool({
    url: proxy.urlFor(server.url),
    max: 2,
    pool: { validateAfterIdleMillis: 0, connectTimeoutMillis: 400 },
  })
  await pool.ready()
  proxy.blackhole()
  const asked = pool.query('select 1 as one')
  await expect.poll(() => pool.snapshot().stats.connectFailures.unavailable).toBeGreaterThan(0)
  await proxy.heal()
  expect((await asked).rows).toEqual([{ one: 1 }])
  await pool.end()
})

test('given a server that does not answer, when connecting takes too long, then the wait ends with a word on why', async () => {
  await using proxy = await startProxy({ target: server })
  proxy.blackhole()
  const pool = new GuardedPool({
    url: proxy.urlFor(server.url),
    pool: { connectTimeoutMillis: 100, acquireTimeoutMillis: 400 },
  })
  const error = await pool.query('select 1').catch((reason: Error) => reason)
  expect(error).toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT', cause: { code: 'ETIMEDOUT' } })
  expect((error as Error).message).toContain('No connection can be opened at the moment (connect timeout')
  await pool.end()
})

test('given connections that are reset in the middle of a query, then the query fails and the pool goes on', async () => {
  await using proxy = await startProxy({ target: server })
  const pool = new GuardedPool({ url: proxy.urlFor(server.url), max: 2 })
  await pool.ready()
  const sleeping = pool.query('select pg_sleep(30)').catch((error: Error) => error)
  await expect.poll(() => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)).toHaveLength(1)
  proxy.reset()
  expect(await sleeping).toBeInstanceOf(Error)
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await pool.end()
})

test('given an answer that is cut off, then the query fails and the pool goes on', async () => {
  await using proxy = await startProxy({ target: server })
  const pool = new GuardedPool({ url: proxy.urlFor(server.url), max: 1 })
  await pool.ready()
  proxy.cutAfter(1_000)
  await expect(pool.query(`select repeat('x', 100000) as long`)).rejects.toThrow()
  await proxy.heal()
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  await pool.end()
})

test('given a server that is restarted under load, then callers wait for it, and no process dies', async () => {
  await using restarted = await startPostgres({ maxConnections: 20 })
  const pool = new GuardedPool({ url: restarted.url, max: 5 })
  await pool.ready()
  let failed = 0
  let served = 0
  const lines = Array.from({ length: 10 }, async () => {
    for (let i = 0; i < 200; i++) {
      await pool.query('select pg_sleep(0.002)').then(
        () => served++,
        () => failed++,
      )
    }
  })
  await expect.poll(() => served).toBeGreaterThan(100)
  await restarted.restart()
  await Promise.all(lines)
  // Queries that ran when the network went down have failed, because their outcome is unknown. The others have waited.
  expect(failed).toBeLessThanOrEqual(10)
  expect(served + failed).toBe(2_000)
  await pool.end()
})

test('given a server that comes back with another limit, then the pool looks again, and takes its new part', async () => {
  await using changed = await startPostgres({ maxConnections: 20 })
  const pool = new GuardedPool({ url: changed.url, instances: 6 })
  await pool.ready()
  expect(pool.settings.values.max).toBe(2)
  await changed.query('alter system set max_connections = 40')
  await changed.kill('SIGKILL')
  await expect.poll(() => pool.totalCount).toBe(0)
  const asked = pool.query('select 1')
  await expect.poll(() => pool.snapshot().stats.connectFailures.unavailable).toBeGreaterThan(0)
  await changed.restart()
  await asked
  await expect
    .poll(async () => {
      await pool.query('select 1')
      return pool.settings.values.max
    })
    .toBe(5)
  await pool.end()
})
