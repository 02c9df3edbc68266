import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { GuardedPool } from '@poolguard/pg'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

/** What pg.Pool does is the yardstick: each test runs on both. */
const CLASSES = { 'pg.Pool': pg.Pool, GuardedPool } as const

const pools: pg.Pool[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => (pool.ending ? undefined : pool.end())))
})

describe.each(Object.entries(CLASSES))('given %s', (name, PoolClass) => {
  function makePool(config: pg.PoolConfig = {}): pg.Pool {
    const pool = new PoolClass({ connectionString: server.url, ...config })
    pools.push(pool)
    return pool
  }

  test('when the parameters of a named statement cannot be sent, then its name works on', async () => {
    const pool = makePool({ max: 1 })
    const circular: { self?: unknown } = {}
    circular.self = circular
    const named = (value: unknown) => pool.query({ name: 'named', text: 'select $1::text as a', values: [value] })
    await expect(named(circular)).rejects.toThrow('circular')
    expect((await named('fine')).rows).toEqual([{ a: 'fine' }])
  })

  test('when a query is given up after query_timeout, then the next does not wait for its end', async () => {
    const pool = makePool({ max: 1, query_timeout: 200 })
    await expect(pool.query('select pg_sleep(100)')).rejects.toThrow('Query read timeout')
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('when a query fails with its connection, then the pool emits no error beside that', async () => {
    const pool = makePool({ max: 1 })
    const errors: Error[] = []
    pool.on('error', (error) => errors.push(error))
    await expect(pool.query('select pg_terminate_backend(pg_backend_pid())')).rejects.toThrow()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(errors).toEqual([])
  })

  test('when an idle connection is lost, then a listener can use the pool at once', async () => {
    const pool = makePool({ max: 1 })
    const { rows } = await pool.query('select pg_backend_pid() as pid')
    const answer = new Promise((resolve) => {
      pool.on('error', () => resolve(pool.query('select 1 as one').then((result) => result.rows)))
    })
    await server.query(`select pg_terminate_backend(${rows[0].pid})`)
    expect(await answer).toEqual([{ one: 1 }])
  })

  test('when onConnect fails, then there is no event about a client that had no event before', async () => {
    const pool = makePool({ onConnect: () => Promise.reject(new Error('not now')) } as pg.PoolConfig)
    let removed = 0
    pool.on('remove', () => removed++)
    await expect(pool.query('select 1')).rejects.toThrow('not now')
    expect(removed).toBe(0)
  })

  test('when a function is given in place of a query, then the function gets the error', async () => {
    const pool = makePool()
    const error = await new Promise((resolve) => {
      ;(pool.query as (callback: (error: Error) => void) => void)(resolve)
    })
    expect(error).toMatchObject({ message: expect.stringContaining('Passing a function') })
  })

  test("when it is made from another one's options, then it has the hidden password, too", async () => {
    const { hostname, port, username: user, password, pathname } = new URL(server.url)
    const one = makePool({
      connectionString: undefined,
      host: hostname,
      port: Number(port),
      user,
      password,
      database: pathname.slice(1),
    })
    const other = new PoolClass(one.options)
    pools.push(other)
    expect((await other.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test.each([{ maxUses: 0 }, { maxUses: null }, { maxLifetimeSeconds: null }, { min: null }, { max: null }])(
    'when it is made with %o, then that means the default',
    async (config) => {
      const pool = makePool(config as unknown as pg.PoolConfig)
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }])
    },
  )

  test('when all are idle and allowExitOnIdle is set, then the process ends by itself', async () => {
    const script = `
      import pg from 'pg'
      import { GuardedPool } from '@poolguard/pg'
      const PoolClass = process.argv[1] === 'GuardedPool' ? GuardedPool : pg.Pool
      const pool = new PoolClass({ connectionString: process.argv[2], allowExitOnIdle: true, max: 1, idleTimeoutMillis: 0 })
      await pool.query('select 1')
      const rows = await Promise.all([1, 2].map((n) => pool.query('select pg_sleep(0.2), $1::int as n', [n])))
      console.log(rows.map((result) => result.rows[0].n).join())`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--input-type=module', '--eval', script, name, server.url],
      { cwd: import.meta.dirname, timeout: 60_000 },
    )
    expect(stdout.trim()).toBe('1,2')
  })
})
