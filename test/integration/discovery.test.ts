import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { describeWithPgBouncer, type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres()
})
afterAll(() => server.stop())

/** A pool of each driver, as far as these tests need it. */
const DRIVERS = {
  pg: (url: string, options: object) => {
    const pool = new GuardedPool({ url, onEvent: () => {}, ...options })
    return {
      query: (text: string): Promise<unknown> => pool.query(text),
      ready: () => pool.ready(),
      snapshot: () => pool.snapshot(),
      end: () => pool.end(),
    }
  },
  'postgres.js': (url: string, options: object) => {
    const sql = guardPostgres(url, { onEvent: () => {}, ...options })
    return {
      query: (text: string): Promise<unknown> => sql.unsafe(text).execute(),
      ready: () => sql.ready(),
      snapshot: () => sql.snapshot(),
      end: () => sql.end(),
    }
  },
} as const

describe.each(Object.entries(DRIVERS))('given PostgreSQL itself and %s', (_, makePool) => {
  test('when a query runs, then its connection is the only one, and has shown what is at the other end', async () => {
    const pool = makePool(server.url, { instances: 2 })
    await pool.query('select 1')
    const { topology, budget, stats } = pool.snapshot()
    expect([stats.total, stats.opened]).toEqual([1, 1])
    expect(topology?.kind).toBe('direct')
    expect(budget).not.toBeNull()
    await pool.end()
  })

  test('when many callers come first, then none is lent a connection before the other end is known', async () => {
    const pool = makePool(server.url, { pool: { max: 5 } })
    const seen = await Promise.all(
      Array.from({ length: 20 }, () => pool.query('select 1').then(() => pool.snapshot().topology?.kind)),
    )
    expect(new Set(seen)).toEqual(new Set(['direct']))
    expect(pool.snapshot().stats.total).toBeLessThanOrEqual(5)
    await pool.end()
  })

  test("when the pool looks at its other end, then that is neither a checkout nor one of a connection's uses", async () => {
    const pool = makePool(server.url, { pool: { max: 1, maxUses: 2 } })
    await pool.ready()
    const { acquired, wait, usage: use, opened } = pool.snapshot().stats
    expect([acquired, wait.count, use.count, opened]).toEqual([0, 0, 0, 1])
    await pool.query('select 1')
    await pool.query('select 1')
    expect(pool.snapshot().stats).toMatchObject({ acquired: 2, opened: 1 })
    await pool.end()
  })

  test('when the role may not read the capacity, then the pool works, and opens no connection to ask again', async () => {
    await server.query('drop role if exists blind')
    await server.query('create role blind login password $$blind$$')
    await server.query('revoke select on pg_catalog.pg_stat_activity from public')
    const pool = makePool(server.url.replace(/\/\/[^@]+@/, '//blind:blind@'), {})
    await pool.query('select 1')
    await pool.query('select 1')
    const { topology, stats } = pool.snapshot()
    expect([topology?.kind, stats.opened]).toEqual(['direct', 1])
    await pool.end()
    await server.query('grant select on pg_catalog.pg_stat_activity to public')
  })
})

for (const [version, poolMode] of [
  ['1.24', 'transaction'],
  ['1.24', 'session'],
  ['1.26', 'transaction'],
] as const) {
  const describe = await describeWithPgBouncer(version)
  describe.each(Object.entries(DRIVERS))(`given PgBouncer ${version} in ${poolMode} mode and %s`, (_, makePool) => {
    test('when the only caller keeps the only connection, then the pooler is known to be one meanwhile', async () => {
      await using pooler = await startPgBouncer({ version, upstream: server, poolMode })
      const pool = makePool(pooler.url, { pool: { max: 1 } })
      await pool.query('select 1')
      expect(pool.snapshot()).toMatchObject({ topology: { kind: 'pooler' }, stats: { opened: 1 } })
      await pool.end()
    })

    test('when the pooler has no free server, then callers wait for one, and are served', async () => {
      await using pooler = await startPgBouncer({
        version,
        upstream: server,
        poolMode,
        settings: { default_pool_size: 1 },
      })
      const holder = new pg.Client(pooler.url)
      await holder.connect()
      await holder.query('begin')
      const pool = makePool(pooler.url, {})
      const answer = pool.query('select 1')
      // The pool gives up its own question after a second.
      await expect.poll(() => pool.snapshot().topology).not.toBeNull()
      await holder.end()
      await answer
      await pool.end()
    })
  })
}
