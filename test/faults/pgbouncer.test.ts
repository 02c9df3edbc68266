import type { PoolEvent } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  pgBouncerVersions,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

for (const version of pgBouncerVersions) {
  const describe = await describeWithPgBouncer(version)
  describe(`given PgBouncer ${version}`, () => {
    test('when it has no client connection left, then callers wait until it has', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { max_client_conn: 3 } })
      const hog = new GuardedPool({ url: pooler.url, pooler: 'transaction', max: 3, min: 3 })
      await expect.poll(() => hog.idleCount).toBe(3)
      const failures: PoolEvent[] = []
      const pool = new GuardedPool({
        url: pooler.url,
        pooler: 'transaction',
        onEvent: (event) => event.type === 'connect-failed' && failures.push(event),
      })
      const all = Promise.all(Array.from({ length: 50 }, () => pool.query('select 1')))
      await expect.poll(() => failures.length).toBeGreaterThan(1)
      expect(failures[0]).toMatchObject({ failure: 'full', error: { code: '08P01' } })
      await hog.end()
      expect(await all).toHaveLength(50)
      await pool.end()
    })

    test('when the server behind it is full, then callers wait until it is not', async () => {
      await server.query('alter role app connection limit 0')
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { server_login_retry: 1 } })
      const failures: PoolEvent[] = []
      const pool = new GuardedPool({
        url: pooler.url,
        pooler: 'transaction',
        pool: { acquireTimeoutMillis: 20_000 },
        onEvent: (event) => event.type === 'connect-failed' && failures.push(event),
      })
      const all = Promise.all(Array.from({ length: 50 }, () => pool.query('select 1')))
      await expect.poll(() => failures.length).toBeGreaterThan(0)
      await server.query('alter role app connection limit -1')
      expect(await all).toHaveLength(50)
      expect(failures.every((event) => event.type === 'connect-failed' && event.failure !== 'permanent')).toBe(true)
      await pool.end()
    })

    test('when it is killed and comes back, then callers wait for it', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server })
      const pool = new GuardedPool({ url: pooler.url, max: 3 })
      await pool.ready()
      await pooler.kill('SIGKILL')
      const all = Promise.all(Array.from({ length: 20 }, () => pool.query('select 1')))
      await expect.poll(() => pool.snapshot().stats.connectFailures.unavailable).toBeGreaterThan(0)
      await pooler.restart()
      expect(await all).toHaveLength(20)
      await pool.end()
    })

    test('when a busy connection is given up, then its query is cancelled and the pooler lives on', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server, settings: { default_pool_size: 1 } })
      const pool = new GuardedPool({ url: pooler.url, max: 2 })
      await pool.ready()
      for (let i = 0; i < 3; i++) {
        const client = await pool.connect()
        const sleeping = client.query('select pg_sleep(60)').catch((error: Error) => error)
        await expect
          .poll(() => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`))
          .toHaveLength(1)
        client.release(true)
        expect(await sleeping).toMatchObject({ code: '57014' })
        expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      }
      await pool.end()
    })

    test('when a query waits for a server longer than query_wait_timeout, then it fails and the pool goes on', async () => {
      await using pooler = await startPgBouncer({
        version,
        upstream: server,
        settings: { default_pool_size: 1, query_wait_timeout: 1 },
      })
      const pool = new GuardedPool({ url: pooler.url, pooler: 'transaction', max: 2 })
      const holder = await pool.connect()
      await holder.query('begin')
      await expect(pool.query('select 1')).rejects.toThrow('query_wait_timeout')
      await holder.query('commit')
      holder.release()
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await pool.end()
    })
  })
}
