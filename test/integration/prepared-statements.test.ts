import { Socket } from 'node:net'
import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import pg, { type PoolClient } from 'pg'
import Cursor from 'pg-cursor'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres, startProxy } from '../harness/index.ts'
import { BY_ID, makeThings } from './things.ts'

const oldPg = !('submittedNamedStatements' in (new pg.Client() as unknown as { connection: object }).connection)

const pools: GuardedPool[] = []
const warnings: string[] = []
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()))
  warnings.length = 0
})

async function connectTo(url: string, config: GuardedPoolConfig = {}): Promise<GuardedPool> {
  const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
  const pool = new GuardedPool({ url, onEvent, ...config })
  pools.push(pool)
  await pool.ready()
  return pool
}

/** The texts that were prepared automatically, as the connection's own server knows them. */
async function preparedOn(client: Pick<PoolClient, 'query'>): Promise<string[]> {
  const { rows } = await client.query(
    `select statement from pg_prepared_statements where name like 'poolguard\\_%' order by prepare_time, name`,
  )
  return rows.map(({ statement }) => statement)
}

/** Of a server's messages, in bytes. */
const PARSE_COMPLETE = 5
/** Of one parameter. */
const PARAMETER_DESCRIPTION = 11

async function repeat(times: number, run: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await run()
}

describe.for([15, 18] as const)('given PostgreSQL %i, directly', (version) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ version, maxConnections: 20 })
  })
  afterAll(() => server.stop())
  beforeEach(() => makeThings(server))
  const connect = (config?: GuardedPoolConfig) => connectTo(server.url, config)

  describe('given the defaults', () => {
    test('then a text with parameters is prepared when it was seen five times, on whichever connection', async () => {
      const pool = await connect({ pool: { max: 2 } })
      const [one, other] = [await pool.connect(), await pool.connect()]
      await repeat(3, () => one.query(BY_ID, [1]))
      await repeat(2, () => other.query(BY_ID, [2]))
      expect([await preparedOn(one), await preparedOn(other)]).toEqual([[], []])
      expect((await one.query(BY_ID, [3])).rows).toEqual([{ id: 3, name: 'thing 3' }])
      expect([await preparedOn(one), await preparedOn(other)]).toEqual([[BY_ID], []])
      expect((await other.query(BY_ID, [4])).rows).toEqual([{ id: 4, name: 'thing 4' }])
      expect(await preparedOn(other)).toEqual([BY_ID])
      expect(pool.snapshot().preparing).toEqual({ active: true, reason: 'PostgreSQL, directly' })
      one.release()
      other.release()
    })

    test('then it is parsed once, and run by its name from then on', async () => {
      const pool = await connect({ pool: { max: 1 } })
      await repeat(25, () => pool.query(BY_ID, [1]))
      const { rows } = await pool.query(
        `select generic_plans + custom_plans as runs from pg_prepared_statements where statement = '${BY_ID}'`,
      )
      expect(rows).toEqual([{ runs: '20' }])
    })

    test.for([
      ['without parameters', 'select * from thing where id = 1', undefined],
      ['which is no query', 'create table if not exists other (id int)', undefined],
      ['a utility statement with parameters', 'explain select * from thing where id = $1', [1]],
      ['which says so', `/* poolguard: no-prepare */ ${BY_ID}`, [1]],
      ['longer than any that comes again', `${BY_ID} --${'x'.repeat(10_000)}`, [1]],
    ] as const)('then a statement %s is left alone', async ([, text, values]) => {
      const pool = await connect({ pool: { max: 1 } })
      await repeat(8, () => pool.query(text, values as unknown[] | undefined))
      expect(await preparedOn(pool)).toEqual([])
    })

    test('then a query that has a name keeps it, and a cursor goes without', async () => {
      const pool = await connect({ pool: { max: 1 } })
      const client = await pool.connect()
      await repeat(8, () => client.query({ name: 'mine', text: BY_ID, values: [1] }))
      await repeat(8, async () => {
        const cursor = client.query(new Cursor('select * from thing where id > $1 order by id', [1]))
        expect((await cursor.read(2)).map(({ id }: { id: number }) => id)).toEqual([2, 3])
        await cursor.close()
      })
      const { rows } = await client.query(`select name from pg_prepared_statements`)
      expect(rows).toEqual([{ name: 'mine' }])
      client.release()
    })

    test('then row mode, types and errors are as without', async () => {
      const pool = await connect({ pool: { max: 1 } })
      const types = { getTypeParser: () => (value: string) => `<${value}>` }
      await repeat(8, async () => {
        const array = await pool.query({ text: BY_ID, values: [1], rowMode: 'array' })
        expect(array.rows).toEqual([[1, 'thing 1']])
        const typed = await pool.query({ text: BY_ID, values: [1], types: types as never })
        expect(typed.rows).toEqual([{ id: '<1>', name: '<thing 1>' }])
        await expect(pool.query(BY_ID, ['one'])).rejects.toMatchObject({ code: '22P02' })
        await expect(pool.query('select $1::int / 0', [1])).rejects.toMatchObject({ code: '22012' })
        await expect(pool.query('select nothing from thing where id = $1', [1])).rejects.toMatchObject({
          code: '42703',
        })
      })
      expect(await preparedOn(pool)).toEqual(expect.arrayContaining([BY_ID]))
      expect(pool.snapshot().stats.opened).toBe(1)
    })
  })

  describe('given a statement that is prepared', () => {
    /** What the server answers, in bytes. */
    async function answered(client: PoolClient, run: () => Promise<unknown>): Promise<number> {
      const { stream } = (client as unknown as { connection: { stream: Socket } }).connection
      const before = stream.bytesRead
      await run()
      return stream.bytesRead - before
    }

    test('then the server describes its rows once, and each result still has the description', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      const client = await pool.connect()
      const ask = () => client.query(BY_ID, [1])
      const [first, second] = [await answered(client, ask), await answered(client, ask)]
      // A row description takes 7 bytes, and for each column 18 and its name; the parameters' types come with another one.
      const rows = 7 + 'id.'.length + 18 + 'name.'.length + 18
      expect(first - second).toBe(PARSE_COMPLETE + rows + PARAMETER_DESCRIPTION + rows)
      const plain = await (await directly()).query(BY_ID, [1])
      expect(await ask()).toMatchObject({ fields: plain.fields, rows: plain.rows, command: 'SELECT', rowCount: 1 })
      client.release()
    })

    test('then what a caller does to the fields of a result is his alone', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      for (let i = 0; i < 3; i++) {
        const { fields } = await pool.query(BY_ID, [1])
        expect(fields.map(({ name }) => name)).toEqual(['id', 'name'])
        for (const field of fields) field.name = 'mine'
        fields.pop()
      }
    })

    test('then one that answers with no rows, and one in the other format, are as without', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      const inBinary: pg.QueryConfig = Object.assign({ text: BY_ID, values: [1] }, { binary: true })
      await repeat(3, async () => {
        const updated = await pool.query('update thing set name = $2 where id = $1', [1, 'one'])
        expect(updated).toMatchObject({ rows: [], fields: [], command: 'UPDATE', rowCount: 1 })
        expect((await pool.query(inBinary)).fields.map(({ format }) => format)).toEqual(['binary', 'binary'])
        expect((await pool.query(BY_ID, [1])).rows).toEqual([{ id: 1, name: 'one' }])
        expect((await pool.query(`${BY_ID} and false`, [1])).fields).toHaveLength(2)
      })
    })

    test('when a column is renamed, or dropped and made anew, then results have what the table has', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      await repeat(2, () => pool.query(BY_ID, [1]))
      await server.query('alter table thing rename column name to title')
      expect((await pool.query(BY_ID, [1])).rows).toEqual([{ id: 1, title: 'thing 1' }])
      await server.query('alter table thing drop column title; alter table thing add column title int default 7')
      await repeat(3, async () => expect((await pool.query(BY_ID, [1])).rows).toEqual([{ id: 1, title: 7 }]))
    })

    test('when everything is discarded, then it is described anew', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 }, resetOnRelease: 'off' })
      await repeat(2, () => pool.query(BY_ID, [1]))
      await pool.query('discard all')
      await repeat(2, async () => expect((await pool.query(BY_ID, [1])).rows).toEqual([{ id: 1, name: 'thing 1' }]))
    })

    async function directly(): Promise<pg.Client> {
      const client = new pg.Client(server.url)
      onTestFinished(() => client.end())
      await client.connect()
      return client
    }
  })

  test.for([
    [0, 1, [BY_ID]],
    [1, 1, []],
    [1, 2, [BY_ID]],
    [null, 20, []],
  ] as const)(
    'given a threshold of %s, then after %i times it has prepared %o',
    async ([prepareThreshold, times, names]) => {
      const pool = await connect({ prepareThreshold, pool: { max: 1 } })
      await repeat(times, () => pool.query(BY_ID, [1]))
      expect(await preparedOn(pool)).toEqual(names)
    },
  )

  test('given more texts than may be kept, then the least recently used are closed on the way', async () => {
    const pool = await connect({ prepareThreshold: 0, maxPreparedStatements: 3, pool: { max: 1 } })
    const text = (n: number) => `select ${n} + $1::int as sum`
    for (const n of [1, 2, 3, 1, 4, 5]) expect((await pool.query(text(n), [10])).rows).toEqual([{ sum: n + 10 }])
    expect(await preparedOn(pool)).toEqual([text(1), text(4), text(5)])
    expect((await pool.query(text(2), [10])).rows).toEqual([{ sum: 12 }])
    expect(await preparedOn(pool)).toEqual([text(4), text(5), text(2)])
  })

  describe('given a migration that changes the columns of a result', () => {
    const migrate = () => server.query('alter table thing add column colour text')

    test('then a query outside a transaction does not notice, on any connection', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 3 } })
      await Promise.all([1, 2, 3].map((id) => pool.query(`${BY_ID} and pg_sleep(0.05) is not null`, [id])))
      await Promise.all([1, 2, 3].map((id) => pool.query(BY_ID, [id])))
      await migrate()
      const found = await Promise.all([1, 2, 3, 4, 5, 6].map((id) => pool.query(BY_ID, [id])))
      expect(found.map(({ rows }) => rows[0].colour)).toEqual([null, null, null, null, null, null])
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
      expect(warnings).toEqual([])
      expect(await preparedOn(pool)).toContain(BY_ID)
    })

    test('then one transaction fails with it, and the next ones work on every connection', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 3 } })
      const clients = [await pool.connect(), await pool.connect(), await pool.connect()]
      for (const client of clients) await client.query(BY_ID, [1])
      await migrate()
      const outcomes: unknown[] = []
      for (const client of clients) {
        await client.query('begin')
        outcomes.push(
          await client.query(BY_ID, [1]).then(
            ({ rows }) => rows[0].colour,
            ({ code }) => code,
          ),
        )
        await client.query('rollback')
      }
      expect(outcomes).toEqual(['0A000', null, null])
      for (const client of clients) client.release()
    })

    test('then under load nothing fails outside transactions, whatever is altered', async () => {
      const pool = await connect({ pool: { max: 5 } })
      let done = false
      const load = Array.from({ length: 10 }, async (_, i) => {
        let queries = 0
        for (; !done; queries++) {
          const { rows } = await pool.query(BY_ID, [(i % 100) + 1])
          expect(rows).toMatchObject([{ id: (i % 100) + 1 }])
        }
        return queries
      })
      for (let i = 0; i < 20; i++) {
        await server.query(`alter table thing add column extra_${i} int`)
        if (i % 2) await server.query(`alter table thing drop column extra_${i}`)
      }
      done = true
      const queries = (await Promise.all(load)).reduce((a, b) => a + b)
      expect(queries).toBeGreaterThan(100)
      // One that was opened late may not have prepared it before it was known to be of no use.
      const clients = await Promise.all(Array.from({ length: pool.totalCount }, () => pool.connect()))
      const prepared = await Promise.all(clients.map(preparedOn))
      for (const client of clients) client.release()
      expect(prepared.flat()).toContain(BY_ID)
    })
  })

  describe('given a migration that changes the type of a parameter', () => {
    const add = (pool: Pick<PoolClient, 'query'>, id: unknown) =>
      pool.query('insert into thing values ($1, null)', [id])

    test('then outside a transaction nothing fails, and the statement is prepared anew', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      await add(pool, 1_000)
      await server.query('alter table thing alter column id type bigint')
      await add(pool, 3_000_000_000)
      await server.query('alter table thing alter column id type text')
      await add(pool, 'three')
      expect(await server.query('select id from thing order by length(id) desc limit 1')).toEqual([
        { id: '3000000000' },
      ])
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
    })

    test('then in a transaction nothing fails either: the value is none of the old type', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      const client = await pool.connect()
      await add(client, 1_000)
      await server.query('alter table thing alter column id type bigint')
      await client.query('begin')
      await add(client, 3_000_000_000)
      await client.query('commit')
      client.release()
    })

    test('then an enum that is another one now does not matter', async () => {
      const remake = `drop type if exists mood cascade; create type mood as enum ('sad', 'glad')`
      await server.query(remake)
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      const ask = () => pool.query('select $1::mood as mood', ['sad'])
      expect((await ask()).rows).toEqual([{ mood: 'sad' }])
      await server.query(remake)
      expect((await ask()).rows).toEqual([{ mood: 'sad' }])
    })

    test('then what is the caller’s fault is still his, at the price of one more round trip', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      for (let i = 0; i < 3; i++) {
        await expect(pool.query(BY_ID, ['one'])).rejects.toMatchObject({ code: '22P02' })
        await expect(pool.query(BY_ID, [1, 2])).rejects.toMatchObject({ code: '08P01' })
        expect((await pool.query(BY_ID, [1])).rows).toMatchObject([{ id: 1 }])
      }
      expect(await preparedOn(pool)).toEqual([BY_ID])
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
      expect(warnings).toEqual([])
    })
  })

  test('given tables that are other ones each time, then it fails twice at most, and then goes without a name', async () => {
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
    const client = await pool.connect()
    let failures = 0
    for (let i = 0; i < 10; i++) {
      await client.query('begin')
      await client.query(`create temp table scratch (id int${', extra int'.repeat(i % 2)}) on commit drop`)
      await client.query('select * from scratch where id = $1', [1]).catch(() => failures++)
      await client.query('rollback')
    }
    expect(failures).toBeLessThanOrEqual(2)
    client.release()
  })

  test('given a schema for each tenant with a type of its own, then transactions fail twice at most', async () => {
    await server.query(`drop schema if exists tenant_a, tenant_b cascade`)
    for (const tenant of ['tenant_a', 'tenant_b']) {
      await server.query(
        `create schema ${tenant}; create type ${tenant}.mood as enum ('sad'); create table ${tenant}.note (mood ${tenant}.mood);
         grant usage on schema ${tenant} to app; grant all on ${tenant}.note to app`,
      )
    }
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
    const client = await pool.connect()
    let failures = 0
    for (let i = 0; i < 20; i++) {
      await client.query('begin')
      await client.query(`set local search_path = ${i % 2 ? 'tenant_a' : 'tenant_b'}`)
      await client.query('insert into note values ($1)', ['sad']).catch(() => failures++)
      await client.query('commit')
    }
    expect(failures).toBeLessThanOrEqual(2)
    client.release()
  })

  test('given another time zone, then literals are read in it', async () => {
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
    const client = await pool.connect()
    const ask = async () =>
      (await client.query(`select extract(epoch from '2024-01-01 00:00'::timestamptz)::int as at, $1::int`, [1]))
        .rows[0].at
    await client.query(`set time zone 'UTC'`)
    expect(await ask()).toBe(1_704_067_200)
    await client.query('begin')
    await client.query(`set local time zone 'Asia/Tokyo'`)
    expect(await ask()).toBe(1_704_034_800)
    await client.query('commit')
    expect(await ask()).toBe(1_704_067_200)
    await client.query('reset time zone')
    client.release()
  })

  test('given rows page by page, then a migration is an error and the connection goes on', async () => {
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
    const client = await pool.connect()
    const paged: pg.QueryConfig = Object.assign({ text: BY_ID, values: [1] }, { rows: 10 })
    const page = () => client.query(paged)
    expect((await page()).rows).toMatchObject([{ id: 1 }])
    await server.query('alter table thing add column colour text')
    await expect(page()).rejects.toMatchObject({ code: '0A000' })
    expect((await page()).rows).toMatchObject([{ id: 1, colour: null }])
    client.release()
  })

  test('given extended mode without values, then it works', async () => {
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
    const query: pg.QueryConfig = Object.assign(
      { text: 'select 1 as one' },
      { values: null as never, queryMode: 'extended' },
    )
    expect((await pool.query(query)).rows).toEqual([{ one: 1 }])
    expect((await pool.query(query)).rows).toEqual([{ one: 1 }])
  })

  test.for([
    [{ resetOnRelease: 'discard' }, /^resetOnRelease: 'discard'/],
    [{ pipeline: true }, /^in pipeline mode/],
  ] as const)('given %o, then nothing is prepared, and the pool says why', async ([config, reason]) => {
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 }, ...(config as GuardedPoolConfig) })
    await repeat(3, () => pool.query(BY_ID, [1]))
    expect(await preparedOn(pool)).toEqual([])
    expect(pool.snapshot().preparing).toEqual({ active: false, reason: expect.stringMatching(reason) })
  })

  test('given a stream that cannot be corked, then a query is still sent again', async () => {
    const corkless = () => {
      const socket = new Socket()
      Object.assign(socket, { cork: undefined, uncork: undefined })
      return socket
    }
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 }, stream: corkless })
    await pool.query(BY_ID, [1])
    await server.query('alter table thing add column colour text')
    expect((await pool.query(BY_ID, [1])).rows).toMatchObject([{ id: 1, colour: null }])
  })

  test('given a connection that is lost while a query is to be sent again, then it fails and nothing hangs', async () => {
    await using proxy = await startProxy({ target: server })
    const pool = await connectTo(proxy.urlFor(server.url), { prepareThreshold: 0, pool: { max: 1 } })
    await pool.query(BY_ID, [1])
    await server.query('alter table thing add column colour text')
    proxy.cutAfter(60)
    await expect(pool.query(BY_ID, [1])).rejects.toThrow()
    proxy.heal()
    await expect.poll(() => pool.query(BY_ID, [1]).then(({ rows }) => rows, String)).toMatchObject([{ id: 1 }])
    await pool.end()
    pools.splice(pools.indexOf(pool), 1)
  })

  describe('given statements that the app drops itself', () => {
    test.for(['discard all', 'deallocate all'])('then after %s they are prepared anew', async (drop) => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      await pool.query(BY_ID, [1])
      await pool.query(drop)
      expect(await preparedOn(pool)).toEqual([])
      const client = await pool.connect()
      await client.query('begin')
      expect((await client.query(BY_ID, [2])).rows).toMatchObject([{ id: 2 }])
      await client.query('commit')
      expect(await preparedOn(client)).toEqual([BY_ID])
      client.release()
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
    })

    test('then after the deallocation of one, by its name, all are parsed again and none is left behind', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      await pool.query(BY_ID, [1])
      await pool.query('select $1::int', [1])
      const { rows } = await pool.query(`select name from pg_prepared_statements where statement = '${BY_ID}'`)
      await pool.query(`deallocate ${rows[0].name}`)
      expect((await pool.query(BY_ID, [2])).rows).toMatchObject([{ id: 2 }])
      expect(await preparedOn(pool)).toEqual([BY_ID])
      expect(pool.snapshot().preparing).toMatchObject({ active: true })
    })

    test('then where nothing showed it, the query is sent again, and the pool detects the topology again', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 2 } })
      const [one, other] = [await pool.connect(), await pool.connect()]
      for (const client of [one, other]) await client.query(BY_ID, [1])
      await one.query(`do $$ begin execute 'deallocate all'; end $$`)
      expect((await one.query(BY_ID, [2])).rows).toMatchObject([{ id: 2 }])
      expect(pool.snapshot().preparing).toEqual({
        active: false,
        reason: 'the server did not recognize a prepared statement',
      })
      expect(warnings).toEqual([expect.stringMatching(/stops preparing statements automatically until the topology/)])
      one.release()
      other.release()
      await pool.query('select 1')
      await expect.poll(() => pool.snapshot().preparing).toEqual({ active: true, reason: 'PostgreSQL, directly' })
      await repeat(3, () => pool.query(BY_ID, [3]))
      expect(await preparedOn(pool)).toEqual([BY_ID])
    })

    test('then in a transaction the error is its own, and after the third time nothing is prepared any more', async () => {
      const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
      for (const outlook of [/until the topology/, /until the topology/, /for the next hour/]) {
        await pool.query(BY_ID, [1])
        const client = await pool.connect()
        await client.query('begin')
        await client.query(`do $$ begin execute 'deallocate all'; end $$`)
        await expect(client.query(BY_ID, [2])).rejects.toMatchObject({ code: '26000' })
        await client.query('rollback')
        client.release()
        expect(warnings.at(-1)).toMatch(outlook)
        await pool.ready({ refresh: true })
      }
      expect(pool.snapshot().preparing).toEqual({
        active: false,
        reason: 'prepared statements were lost too often',
      })
      await repeat(3, () => pool.query(BY_ID, [1]))
      expect(warnings).toHaveLength(3)
    })
  })

  test('given the same error out of something that has begun to run, then it is not sent again', async () => {
    await server.query(`create sequence if not exists runs; grant usage on runs to app`)
    await server.query(
      `create or replace function run_once() returns void language plpgsql as
       $$ begin perform nextval('runs'); raise exception using errcode = '26000', message = 'not mine'; end $$`,
    )
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
    const before = await pool.query(`select nextval('runs')::int as n`)
    await expect(pool.query('select run_once(), $1::int', [1])).rejects.toMatchObject({ code: '26000' })
    const after = await pool.query(`select nextval('runs')::int as n`)
    expect(after.rows[0].n - before.rows[0].n).toBe(2)
    expect(pool.snapshot().preparing).toMatchObject({ active: true })
  })

  const circular: Record<string, unknown> = {}
  circular.itself = circular
  const AS_JSON = 'select $1::jsonb as value'

  test('given a parameter that cannot be sent, then that query alone fails', async () => {
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
    for (const n of [1, 2, 3]) {
      await expect(pool.query(AS_JSON, [circular])).rejects.toThrow('circular')
      expect((await pool.query(AS_JSON, [{ n }])).rows).toEqual([{ value: { n } }])
    }
  })

  // pg 8.16 leaves its client waiting indefinitely for an answer to what it has not sent, prepared or not.
  test.skipIf(oldPg)('given one on a client that is kept, then that goes on (pg 8.16 does not)', async () => {
    const pool = await connect({ prepareThreshold: 0, pool: { max: 1 } })
    const client = await pool.connect()
    for (const n of [1, 2]) {
      await expect(client.query(AS_JSON, [circular])).rejects.toThrow('circular')
      expect((await client.query(AS_JSON, [{ n }])).rows).toEqual([{ value: { n } }])
    }
    await client.query('begin')
    expect((await client.query(AS_JSON, [{ a: 2 }])).rows).toEqual([{ value: { a: 2 } }])
    await client.query('commit')
    expect(await preparedOn(client)).toEqual([AS_JSON])
    client.release()
  })

  test('given a server that was away, then the new connections prepare again', async () => {
    const pool = await connect({ prepareThreshold: 0, pool: { max: 2 } })
    await Promise.all([1, 2].map((id) => pool.query(BY_ID, [id])))
    await server.restart()
    await expect.poll(() => pool.query(BY_ID, [3]).then(({ rows }) => rows, String)).toMatchObject([{ id: 3 }])
    await expect.poll(() => pool.snapshot().preparing).toMatchObject({ active: true })
    await repeat(2, () => pool.query(BY_ID, [4]))
    await expect.poll(() => preparedOn(pool)).toContain(BY_ID)
  })

  test('given queries that are sent before others are answered, then each has its own answer', async () => {
    const pool = await connect({ prepareThreshold: 0, maxPreparedStatements: 2, pool: { max: 1 } })
    const client = await pool.connect()
    const texts = [BY_ID, 'select $1::int + 1 as id', 'select $1::int + 2 as id']
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => client.query(texts[i % 3] as string, [(i % 50) + 1])),
    )
    expect(answers.map(({ rows }) => rows[0].id)).toEqual(Array.from({ length: 60 }, (_, i) => (i % 50) + 1 + (i % 3)))
    client.release()
  })
})

test.for([
  ['prepareThreshold', { prepareThreshold: -1 }],
  ['prepareThreshold', { prepareThreshold: 1.5 }],
  ['maxPreparedStatements', { maxPreparedStatements: 0 }],
] as const)('given a bad %s, then it is named', ([option, config]) => {
  expect(() => new GuardedPool({ url: 'postgresql://app@localhost/app', ...config })).toThrow(
    `Invalid option ${option}`,
  )
})
