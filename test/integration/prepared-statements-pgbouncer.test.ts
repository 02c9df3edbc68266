import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'
import { BY_ID, makeThings } from './things.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
})
afterAll(() => server.stop())

const pools: GuardedPool[] = []
const warnings: string[] = []
beforeEach(() => makeThings(server))
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()))
  warnings.length = 0
})

async function connect(url: string, config: GuardedPoolConfig = {}): Promise<GuardedPool> {
  const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
  const pool = new GuardedPool({ url, onEvent, prepareThreshold: 0, ...config })
  pools.push(pool)
  await pool.ready()
  return pool
}

/** How many statements the servers behind the pooler have for the text. Takes all of them at once: which one a query reaches is chance. */
async function preparedOnServers(pool: GuardedPool, servers: number, text: string): Promise<number> {
  const clients = await Promise.all(Array.from({ length: servers }, () => pool.connect()))
  for (const client of clients) await client.query('begin')
  const counts = await Promise.all(
    clients.map((client) =>
      client.query(`select count(*)::int n from pg_prepared_statements where statement = '${text}'`),
    ),
  )
  for (const client of clients) await client.query('rollback')
  for (const client of clients) client.release()
  return counts.reduce((sum, { rows }) => sum + rows[0].n, 0)
}

for (const version of ['1.24', '1.26'] as const) {
  const describePooler = await describeWithPgBouncer(version)
  describePooler(`given PgBouncer ${version} in transaction mode`, () => {
    let pooler: PgBouncerServer
    const settings = { default_pool_size: 3, max_prepared_statements: 50 }
    beforeAll(async () => {
      pooler = await startPgBouncer({ version, poolMode: 'transaction', upstream: server, settings })
    })
    afterAll(() => pooler.stop())

    async function setOnPooler(command: string): Promise<void> {
      const console = new pg.Client({ connectionString: pooler.adminUrl })
      await console.connect()
      await console.query(command)
      await console.end()
    }

    test('then statements are prepared, far more callers than servers get their own answers', async () => {
      const pool = await connect(pooler.url, { pool: { max: 12 } })
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
      const texts = Array.from({ length: 20 }, (_, i) => `select id + ${i} as sum from thing where id = $1`)
      const answers = await Promise.all(
        Array.from({ length: 400 }, (_, i) => pool.query(texts[i % 20] as string, [(i % 100) + 1])),
      )
      expect(answers.map(({ rows }) => rows[0].sum)).toEqual(
        Array.from({ length: 400 }, (_, i) => (i % 100) + 1 + (i % 20)),
      )
      expect(await preparedOnServers(pool, settings.default_pool_size, texts[0] as string)).toBeGreaterThan(0)
      expect(warnings).toEqual([])
      expect(pool.snapshot().stats.opened).toBeLessThanOrEqual(12)
    })

    test('then no connection has more statements than the pooler keeps on a server', async () => {
      const pool = await connect(pooler.url, { pool: { max: 1 } })
      const text = (n: number) => `select ${n} + $1::int as sum`
      for (let n = 0; n < 150; n++) expect((await pool.query(text(n), [1])).rows).toEqual([{ sum: n + 1 }])
      for (let n = 0; n < 150; n++) expect((await pool.query(text(n), [2])).rows).toEqual([{ sum: n + 2 }])
      const { rows } = await pool.query(
        `select count(*)::int n from pg_prepared_statements where statement like 'select % + $1::int as sum'`,
      )
      expect(rows[0].n).toBeGreaterThan(0)
      expect(rows[0].n).toBeLessThanOrEqual(50)
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
    })

    test('given a migration, then outside a transaction nothing fails, and that text goes without a name from then on', async () => {
      const pool = await connect(pooler.url, { pool: { max: 6 } })
      await Promise.all(Array.from({ length: 30 }, (_, i) => pool.query(BY_ID, [i + 1])))
      await server.query('alter table thing add column colour text')
      const found = await Promise.all(Array.from({ length: 60 }, (_, i) => pool.query(BY_ID, [i + 1])))
      expect(found.map(({ rows }) => rows[0])).toEqual(
        Array.from({ length: 60 }, (_, i) => ({ id: i + 1, name: `thing ${i + 1}`, colour: null })),
      )
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
      // And in a transaction, where an error could not be hidden.
      await Promise.all(
        Array.from({ length: 12 }, async (_, i) => {
          const client = await pool.connect()
          await client.query('begin')
          expect((await client.query(BY_ID, [i + 1])).rows).toMatchObject([{ id: i + 1, colour: null }])
          await client.query('commit')
          client.release()
        }),
      )
    })

    test('given a migration noticed in a transaction first, then that one fails, and the next one works', async () => {
      // One server, so that it is the one on which it is prepared.
      await using small = await startPgBouncer({
        version,
        poolMode: 'transaction',
        upstream: server,
        settings: { ...settings, default_pool_size: 1 },
      })
      const pool = await connect(small.url, { pool: { max: 2 } })
      await Promise.all([1, 2, 3, 4].map((id) => pool.query(BY_ID, [id])))
      await server.query('alter table thing add column colour text')
      const client = await pool.connect()
      await client.query('begin')
      const refused = await client.query(BY_ID, [1]).catch(({ code }) => code)
      await client.query('rollback')
      await client.query('begin')
      const found = await client.query(BY_ID, [1])
      await client.query('commit')
      client.release()
      await pool.end()
      pools.splice(0)
      expect(refused).toBe('0A000')
      expect(found.rows).toMatchObject([{ id: 1, colour: null }])
    })

    test('given servers that are replaced under it, then nothing fails', async () => {
      const pool = await connect(pooler.url, { pool: { max: 4 } })
      await Promise.all([1, 2, 3, 4].map((id) => pool.query(BY_ID, [id])))
      await setOnPooler('reconnect')
      const found = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query(BY_ID, [i + 1])))
      expect(found.map(({ rows }) => rows[0].id)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
    })

    test('given DISCARD ALL by a client on a server that it shares, then nothing fails', async () => {
      const pool = await connect(pooler.url, { pool: { max: 4 }, sessionState: 'off' })
      for (let round = 0; round < 10; round++) {
        await Promise.all(Array.from({ length: 8 }, (_, i) => pool.query(BY_ID, [i + 1])))
        await pool.query('discard all')
      }
      const found = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query(BY_ID, [i + 1])))
      expect(found.map(({ rows }) => rows[0].id)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    })

    test('given a pooler that no longer keeps names, then nothing is prepared from the first error on, and callers get no error', async () => {
      // One connection: a second one would prepare the same name anew, with which the first might be lucky.
      const pool = await connect(pooler.url, { pool: { max: 1 } })
      await Promise.all([1, 2, 3, 4].map((id) => pool.query(BY_ID, [id])))
      await setOnPooler('set max_prepared_statements = 0')
      try {
        const found = await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query(BY_ID, [i + 1])))
        expect(found.map(({ rows }) => rows[0].id)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
        expect(warnings).toEqual([expect.stringMatching(/stops preparing statements automatically/)])
        await expect.poll(() => pool.snapshot().preparing?.active).toBe(false)
      } finally {
        await setOnPooler('set max_prepared_statements = 50')
      }
    })
  })
}

const describeOldPooler = await describeWithPgBouncer('1.18')
describeOldPooler('given PgBouncer 1.18 in transaction mode, which does not keep names', () => {
  test('then nothing is prepared, and the pool says why', async () => {
    const settings = { default_pool_size: 3 }
    await using pooler = await startPgBouncer({ version: '1.18', poolMode: 'transaction', upstream: server, settings })
    const pool = await connect(pooler.url)
    await Promise.all(Array.from({ length: 40 }, (_, i) => pool.query(BY_ID, [i + 1])))
    expect(await preparedOnServers(pool, settings.default_pool_size, BY_ID)).toBe(0)
    expect(pool.snapshot().preparing).toEqual({
      active: false,
      reason: expect.stringMatching(/in transaction mode.*prepared statements unsafe/),
    })
    await pool.end()
    pools.splice(0)
  })
})
