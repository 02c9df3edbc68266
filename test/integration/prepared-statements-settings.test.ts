import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import type { PoolClient } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { BY_ID, makeThings } from './things.ts'

const TENANTS = ['tenant_a', 'tenant_b'] as const
const NOTE = 'select * from note where id = $1'

const pools: GuardedPool[] = []
afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.end())))

async function connectTo(url: string, config: GuardedPoolConfig = {}): Promise<GuardedPool> {
  const pool = new GuardedPool({ url, prepareThreshold: 0, ...config, pool: { max: 1, ...config.pool } })
  pools.push(pool)
  await pool.ready()
  return pool
}

async function preparedOn(client: Pick<PoolClient, 'query'>): Promise<string[]> {
  const { rows } = await client.query(`select statement from pg_prepared_statements where name like 'poolguard\\_%'`)
  return rows.map(({ statement }) => statement)
}

describe.for([15, 18] as const)('given PostgreSQL %i', (version) => {
  let server: PostgresServer
  beforeAll(async () => {
    server = await startPostgres({ version, maxConnections: 20 })
    for (const tenant of TENANTS) {
      const columns = tenant === 'tenant_a' ? 'id int, name text' : 'name text, id int'
      await server.query(
        `create schema ${tenant}; create table ${tenant}.note (${columns});
         insert into ${tenant}.note (id, name) values (1, '${tenant}');
         grant usage on schema ${tenant} to app; grant all on ${tenant}.note to app`,
      )
    }
    await server.query(
      `create function use_tenant(name text) returns text language sql as $$ select set_config('search_path', name, true) $$`,
    )
    await server.query(`create role tenant_role; grant tenant_role to app; grant usage on schema public to tenant_role`)
  })
  afterAll(() => server.stop())
  beforeEach(() => makeThings(server))

  /** Transactions of alternating tenants, each of which reads its own note. */
  async function failuresOf(use: (client: PoolClient, tenant: string) => Promise<unknown>): Promise<number> {
    const pool = await connectTo(server.url)
    const client = await pool.connect()
    let failures = 0
    for (let n = 0; n < 12; n++) {
      const tenant = TENANTS[n % 2] as string
      await client.query('begin')
      await use(client, tenant)
      const name = await client.query(NOTE, [1]).then(
        ({ rows }) => rows[0].name,
        () => failures++,
      )
      if (typeof name === 'string') expect(name).toBe(tenant)
      await client.query('rollback')
    }
    client.release()
    return failures
  }

  test.for<[string, (client: PoolClient, tenant: string) => Promise<unknown>]>([
    ['SET LOCAL search_path', (client, tenant) => client.query(`set local search_path to ${tenant}`)],
    ['SET LOCAL SCHEMA', (client, tenant) => client.query(`set local schema '${tenant}'`)],
    ['set_config in a text', (client, tenant) => client.query(`select set_config('search_path', '${tenant}', true)`)],
    [
      'set_config with parameters',
      (client, tenant) => client.query(`select set_config($1, $2, $3)`, ['search_path', tenant, true]),
    ],
    ['SET for the session', (client, tenant) => client.query(`set search_path = ${tenant}`)],
    [
      'SET LOCAL before a savepoint that is rolled back',
      async (client, tenant) => {
        await client.query(`set local search_path to ${tenant}`)
        await client.query('savepoint here')
        await client.query(`set local statement_timeout = '10s'`)
        await client.query('rollback to here')
      },
    ],
    [
      'SET LOCAL in a text with BEGIN',
      async (client, tenant) => {
        await client.query('rollback')
        await client.query(`begin; set local search_path to ${tenant}`)
      },
    ],
    [
      'a temporary table of the same name',
      (client, tenant) => client.query(`create temp table note on commit drop as select 1 as id, '${tenant}' as name`),
    ],
  ])('given %s, then no transaction fails, and each finds its own rows', async ([, use]) => {
    expect(await failuresOf(use)).toBe(0)
  })

  test('given a function that sets the search_path, then one transaction fails at most, and none if the server reports it', async () => {
    const failures = await failuresOf((client, tenant) => client.query(`select use_tenant('${tenant}')`))
    expect(failures).toBeLessThanOrEqual(version >= 18 ? 0 : 1)
  })

  test('given settings that change no meaning, then names are used in the transaction', async () => {
    const pool = await connectTo(server.url)
    const client = await pool.connect()
    await client.query('begin isolation level repeatable read')
    await client.query(`set local statement_timeout = '10s'`)
    await client.query('set transaction read only')
    await client.query(BY_ID, [1])
    expect(await preparedOn(client)).toEqual([BY_ID])
    await client.query('rollback')
    client.release()
  })

  test('given an immutable function that reads a setting, then a new setting has it read again', async () => {
    await server.query(
      `create or replace function tenant() returns text immutable language plpgsql as $$ begin return current_setting('app.tenant'); end $$`,
    )
    const pool = await connectTo(server.url)
    const client = await pool.connect()
    const ask = async () => (await client.query('select tenant() as name, $1::int', [1])).rows[0].name
    for (const tenant of TENANTS) {
      await client.query(`set app.tenant = '${tenant}'`)
      for (let n = 0; n < 8; n++) expect(await ask()).toBe(tenant)
    }
    client.release()
  })

  test('given another way to read backslashes, then a text is read so', async () => {
    const pool = await connectTo(server.url)
    const client = await pool.connect()
    const ask = async () => (await client.query(`select 'a\\\\b' as value, $1::int`, [1])).rows[0].value
    expect(await ask()).toBe('a\\\\b')
    await client.query('set standard_conforming_strings = off')
    const expected = (await client.query(`select 'a\\\\b' as value`)).rows[0].value
    expect(await ask()).toBe(expected)
    await client.query('reset all')
    client.release()
  })

  test('given an enum that a migration replaces, then no transaction fails', async () => {
    await server.query(
      `drop table if exists mood_note; drop type if exists mood; create type mood as enum ('a', 'b');
       create table mood_note (v mood, vs mood[]); grant all on mood_note to app`,
    )
    const pool = await connectTo(server.url, { pool: { max: 5 } })
    const work = async () => {
      const client = await pool.connect()
      try {
        await client.query('begin')
        await client.query('insert into mood_note values ($1, $2)', ['a', '{a}'])
        await client.query('commit')
      } catch (error) {
        await client.query('rollback')
        throw error
      } finally {
        client.release()
      }
    }
    const round = async () =>
      (await Promise.allSettled(Array.from({ length: 10 }, work))).filter(({ status }) => status === 'rejected')
    expect(await round()).toEqual([])
    await server.query(
      `begin; alter type mood rename to old_mood; create type mood as enum ('a');
       alter table mood_note alter v type mood using v::text::mood, alter vs type mood[] using vs::text[]::mood[]; drop type old_mood; commit`,
    )
    expect(await round()).toEqual([])
  })

  test('given a migration that many transactions notice at once, then one fails', async () => {
    await server.query(
      `drop table if exists state_note; drop type if exists state; create type state as enum ('a', 'b');
       create table state_note (id int, v state); insert into state_note values (1, 'a'); grant all on state_note to app`,
    )
    const pool = await connectTo(server.url, { pool: { max: 5 } })
    const clients = await Promise.all(Array.from({ length: 5 }, () => pool.connect()))
    const read = async (client: PoolClient) => client.query('select v from state_note where id = $1', [1])
    const round = async () => {
      await Promise.all(clients.map((client) => client.query('begin')))
      const outcomes = await Promise.allSettled(clients.map(read))
      await Promise.all(clients.map((client) => client.query('rollback')))
      return outcomes.filter(({ status }) => status === 'rejected').length
    }
    for (const client of clients) await read(client)
    expect(await round()).toBe(0)
    await server.query(
      `begin; alter type state rename to old_state; create type state as enum ('a');
       alter table state_note alter v type state using v::text::state; drop type old_state; commit`,
    )
    const failures = [await round(), await round(), await round()]
    expect(failures[0]).toBeLessThanOrEqual(1)
    expect(failures.slice(1)).toEqual([0, 0])
    for (const client of clients) client.release()
  })

  test('given a migration that transactions notice first, then one fails, whatever statements it affects', async () => {
    const pool = await connectTo(server.url)
    const client = await pool.connect()
    const texts = [1, 2, 3, 4].map((n) => `${BY_ID} /* ${n} */`)
    for (const text of texts) await client.query(text, [1])
    await server.query('alter table thing add column colour text')
    let failures = 0
    for (const text of texts) {
      await client.query('begin')
      await client.query(text, [1]).catch(() => failures++)
      await client.query('rollback')
    }
    expect(failures).toBe(1)
    client.release()
  })

  test('given a migration by the pool itself, then every connection reads values by the new types at once', async () => {
    await server.query(
      'drop table if exists own; create table own (v text); alter table own owner to app; grant create on schema public to app',
    )
    const pool = await connectTo(server.url, { pool: { max: 2 } })
    const [one, other] = [await pool.connect(), await pool.connect()]
    const find = 'select v from own where v = $1'
    await one.query(`insert into own values ('a')`)
    for (const client of [one, other]) expect((await client.query(find, ['abc'])).rowCount).toBe(0)
    await one.query(`alter table own alter v type "char"`)
    for (const client of [one, other]) expect((await client.query(find, ['abc'])).rowCount).toBe(1)
    one.release()
    other.release()
  })

  test("given prepareTypes 'all', then every type is prepared, and a migration leaves the old type in place", async () => {
    const [proven, all] = [await connectTo(server.url), await connectTo(server.url, { prepareTypes: 'all' })]
    await server.query('drop table if exists event; create table event (at timestamp); grant all on event to app')
    const add = 'insert into event values ($1) returning at::text'
    for (const pool of [proven, all]) await pool.query(add, ['2022-01-01 00:00:00-02'])
    expect([await preparedOn(proven), await preparedOn(all)]).toEqual([[], [add]])
  })
})
