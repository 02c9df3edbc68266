import type { PoolEvent } from '@poolguard/core'
import { type GuardedOptions, type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
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
beforeEach(() => makeThings(server))

const opened: GuardedSql[] = []
const warnings: string[] = []
afterEach(async () => {
  await Promise.all(opened.splice(0).map((sql) => sql.end()))
  warnings.length = 0
})

async function connect(url: string, options: GuardedOptions = {}): Promise<GuardedSql> {
  const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
  const sql = guardPostgres(url, { onEvent, ...options })
  opened.push(sql)
  await sql.ready()
  return sql
}

async function preparedOn(sql: Pick<GuardedSql, 'unsafe'>): Promise<string[]> {
  const rows = await sql.unsafe('select statement from pg_prepared_statements order by prepare_time, name')
  return rows.map(({ statement }) => statement)
}

async function repeat(times: number, run: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await run()
}

describe('given PostgreSQL, directly', () => {
  test('then an unsafe query with parameters, as Drizzle sends it, is prepared when it was seen five times', async () => {
    const sql = await connect(server.url, { pool: { max: 1 } })
    await repeat(5, () => sql.unsafe(BY_ID, [1]))
    expect(await preparedOn(sql)).toEqual([])
    expect(await sql.unsafe(BY_ID, [2])).toMatchObject([{ id: 2, name: 'thing 2' }])
    expect(await preparedOn(sql)).toEqual([BY_ID])
    expect(sql.snapshot().preparing).toEqual({ active: true, reason: 'PostgreSQL, directly' })
  })

  test('then what the user has decided stands', async () => {
    const sql = await connect(server.url, { pool: { max: 1 } })
    await repeat(8, () => sql.unsafe(BY_ID, [1], { prepare: false }))
    expect(await preparedOn(sql)).toEqual([])
    await sql.unsafe(BY_ID, [1], { prepare: true })
    expect(await preparedOn(sql)).toEqual([BY_ID])
  })

  test.for([
    [{ prepareThreshold: null }, []],
    [{ prepare: false }, []],
    [{ prepareThreshold: 0 }, [BY_ID]],
  ] as const)('given %o, then after one query it has prepared %o', async ([options, prepared]) => {
    const sql = await connect(server.url, { ...options, pool: { max: 1 } })
    await sql.unsafe(BY_ID, [1])
    expect(await preparedOn(sql)).toEqual(prepared)
  })

  test('then in a transaction nothing is prepared that could not be sent again', async () => {
    const sql = await connect(server.url, { prepareThreshold: 0, pool: { max: 1 } })
    await sql.begin((tx) => repeat(8, () => tx.unsafe(BY_ID, [1])))
    expect(await preparedOn(sql)).not.toContain(BY_ID)
  })

  test('then no connection has more than may be kept', async () => {
    const sql = await connect(server.url, { prepareThreshold: 0, maxPreparedStatements: 3, pool: { max: 1 } })
    const text = (n: number) => `select ${n} + $1::int as sum`
    for (const n of [1, 2, 3, 4, 5, 1, 4]) expect(await sql.unsafe(text(n), [1])).toMatchObject([{ sum: n + 1 }])
    expect(await preparedOn(sql)).toEqual([text(1), text(2), text(3)])
  })

  test('given parameters that are made into something else to be sent, then they are sent again as they were', async () => {
    await server.query('drop table if exists doc; create table doc (id int, j jsonb, b bytea); grant all on doc to app')
    const sql = await connect(server.url, { prepareThreshold: 0, pool: { max: 1 } })
    const text = 'insert into doc values ($1, $2, $3) returning *'
    const add = (id: number) => sql.unsafe(text, [id, { a: id } as never, Buffer.from([1, 2, id])])
    const tagged = (id: number) =>
      sql`insert into doc values (${id}, ${{ a: id } as never}, ${Buffer.from([1, 2, id])}) returning *`
    await add(1)
    await tagged(2)
    await server.query('alter table doc add column extra int')
    await add(3)
    await tagged(4)
    await sql.unsafe('discard all')
    await add(5)
    await tagged(6)
    expect(await server.query('select id, j, b from doc order by id')).toEqual(
      [1, 2, 3, 4, 5, 6].map((id) => ({ id, j: { a: id }, b: Buffer.from([1, 2, id]) })),
    )
  })

  test('given an error out of something that has begun to run, then it runs no more often than with plain postgres.js', async () => {
    await server.query(
      `create sequence if not exists runs; grant usage on runs to app; create or replace function run_once(n int) returns int
       language plpgsql as $$ begin perform nextval('runs'); execute 'execute nosuch'; return n; end $$`,
    )
    const runs = async (sql: Pick<GuardedSql, 'unsafe'>) => {
      await server.query(`select setval('runs', 1)`)
      await expect(sql.unsafe('select run_once($1::int)', [1])).rejects.toMatchObject({ code: '26000' })
      return Number((await server.query('select last_value from runs'))[0]?.last_value) - 1
    }
    const sql = await connect(server.url, { prepareThreshold: 0, pool: { max: 1 } })
    const plain = postgres(server.url, { max: 1 })
    // 3.4.0 sends everything a second time that fails so, prepared or not.
    const once = await runs(plain as never)
    await plain.end()
    for (let run = 0; run < 3; run++) expect(await runs(sql)).toBe(once)
  })

  test('given a migration that changes the type of a parameter, then outside a transaction nothing fails', async () => {
    const sql = await connect(server.url, { prepareThreshold: 0, pool: { max: 1 } })
    const add = (id: unknown) => sql.unsafe('insert into thing values ($1, null)', [id as never])
    await add(1_000)
    await server.query('alter table thing alter column id type bigint')
    await add(3_000_000_000)
    await expect(add('four')).rejects.toMatchObject({ code: '22P02' })
    expect(sql.snapshot().preparing).toMatchObject({ active: true })
  })

  test('given one text with parameters of many types, then no more than may be kept are prepared', async () => {
    const sql = await connect(server.url, { prepareThreshold: 0, maxPreparedStatements: 2, pool: { max: 1 } })
    const values = [1n, new Date(0), true, 'x', Buffer.from('x')]
    for (const a of values) for (const b of values) await sql.unsafe('select $1::text, $2::text', [a, b] as never)
    expect((await preparedOn(sql)).length).toBeLessThanOrEqual(2)
  })

  test('given SET for the session, then what is prepared is not used any more', async () => {
    const sql = await connect(server.url, { prepareThreshold: 0, pool: { max: 1 } })
    await server.query(
      `create or replace function tenant() returns text immutable language plpgsql as $$ begin return current_setting('app.tenant'); end $$`,
    )
    for (const tenant of ['a', 'b']) {
      await sql.unsafe(`set app.tenant = '${tenant}'`)
      await repeat(8, async () =>
        expect(await sql.unsafe('select tenant() as name, $1::int', [1])).toMatchObject([{ name: tenant }]),
      )
    }
  })

  test('given values that postgres.js prints by their type, then they are sent as with plain postgres.js', async () => {
    const plain = postgres(server.url, { max: 1 })
    const guarded = await connect(server.url, { prepareThreshold: 0, pool: { max: 1 } })
    for (const [from, to, value, later] of [
      ['boolean', 'text', true, 'true'],
      ['boolean', 'text', true, 'x'],
      ['json', 'text', 'a', 'a'],
      ['json', 'text', { a: 1 }, 'a'],
      ['timestamptz', 'text', new Date(0), '2022-01-01'],
      ['timestamptz', 'timestamp', new Date(0), new Date(0)],
      ['integer', 'text', 1, '007'],
    ] as const) {
      const seen = await Promise.all(
        [plain, guarded].map(async (sql, n) => {
          const table = `printed_${n}`
          await server.query(
            `drop table if exists ${table}; create table ${table} (v ${from}); grant all on ${table} to app`,
          )
          const add = (each: unknown) =>
            sql.unsafe(`insert into ${table} values ($1) /* ${from} ${to} ${later} */ returning v::text`, [
              each as never,
            ])
          await repeat(3, () => add(value))
          await server.query(`alter table ${table} alter v type ${to} using v::text::${to}`)
          return (await add(later))[0]?.v
        }),
      )
      expect(seen[1], `${from} -> ${to}`).toBe(seen[0])
    }
    await plain.end()
  })

  test('given a migration, then outside a transaction nothing fails', async () => {
    const sql = await connect(server.url, { prepareThreshold: 0, pool: { max: 3 } })
    await Promise.all([1, 2, 3].map((id) => sql.unsafe(BY_ID, [id])))
    await server.query('alter table thing add column colour text')
    const found = await Promise.all([1, 2, 3, 4, 5, 6].map((id) => sql.unsafe(BY_ID, [id])))
    expect(found.map(([row]) => row?.colour)).toEqual([null, null, null, null, null, null])
    expect(warnings).toEqual([])
  })
})

for (const version of ['1.24', '1.26'] as const) {
  const describePooler = await describeWithPgBouncer(version)
  describePooler(`given PgBouncer ${version} in transaction mode`, () => {
    let pooler: PgBouncerServer
    const settings = { default_pool_size: 3, max_prepared_statements: 50 }
    beforeAll(async () => {
      pooler = await startPgBouncer({ version, poolMode: 'transaction', upstream: server, settings })
    })
    afterAll(() => pooler.stop())

    test('then an unsafe query goes without a name: postgres.js would read its rows by columns of the past', async () => {
      const sql = await connect(pooler.url, { prepareThreshold: 0, pool: { max: 1 } })
      await repeat(3, () => sql.unsafe(BY_ID, [1]))
      expect(await preparedOn(sql)).not.toContain(BY_ID)
    })

    test('given a tagged template and a migration, then outside a transaction nothing fails, and later ones go without a name', async () => {
      const sql = await connect(pooler.url, { pool: { max: 6 } })
      const findAll = (count: number) =>
        Promise.all(Array.from({ length: count }, (_, i) => sql`select * from thing where id = ${i + 1}`))
      await findAll(30)
      await server.query('alter table thing add column colour text')
      expect((await findAll(60)).map(([row]) => row?.id)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1))
      expect((await findAll(60)).map(([row]) => row?.colour)).toEqual(Array.from({ length: 60 }, () => null))
      expect(sql.snapshot().preparing).toMatchObject({ active: true })
    })

    test('given a tagged template and a migration noticed in a transaction first, then that fails, and the next works', async () => {
      await using small = await startPgBouncer({
        version,
        poolMode: 'transaction',
        upstream: server,
        settings: { ...settings, default_pool_size: 1 },
      })
      const sql = await connect(small.url, { pool: { max: 2 } })
      const find = (id: number) => sql.begin((tx) => tx`select * from thing where id = ${id}`)
      await Promise.all([1, 2, 3, 4].map(find))
      await server.query('alter table thing add column colour text')
      await expect(find(1)).rejects.toMatchObject({ code: '0A000' })
      expect(await find(1)).toMatchObject([{ id: 1, colour: null }])
      await sql.end()
      opened.splice(0)
    })
  })
}
