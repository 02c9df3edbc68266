import type { PoolEvent } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
  await server.query('create table item (id int primary key, name text); grant all on item to app')
})
afterAll(() => server.stop())

/** One pool of a driver, as far as these tests use it. */
interface Subject {
  query(text: string): Promise<unknown>
  transact(texts: readonly string[]): Promise<unknown>
  ready(): Promise<unknown>
  end(): Promise<unknown>
}

const drivers: Readonly<Record<string, (url: string, onEvent: (event: PoolEvent) => void) => Subject>> = {
  pg: (url, onEvent) => {
    const pool = new GuardedPool({ url, pool: { max: 2 }, onEvent })
    return {
      query: (text) => pool.query(text),
      transact: async (texts) => {
        const client = await pool.connect()
        client.on('error', () => {})
        try {
          for (const text of ['begin', ...texts, 'commit']) await client.query(text)
        } finally {
          client.release()
        }
      },
      ready: () => pool.ready(),
      end: () => pool.end(),
    }
  },
  'postgres.js': (url, onEvent) => {
    const sql = guardPostgres(url, { pool: { max: 2 }, onEvent })
    return {
      query: (text) => sql.unsafe(text),
      transact: (texts) =>
        sql.begin(async (tx) => {
          for (const text of texts) await tx.unsafe(text)
        }),
      ready: () => sql.ready(),
      end: () => sql.end(),
    }
  },
}

const subjects: Subject[] = []
afterEach(async () => {
  await Promise.all(subjects.splice(0).map((subject) => subject.end()))
})

describe.each(Object.entries(drivers))('%s', (_driver, make) => {
  async function given(url = server.url): Promise<{ subject: Subject; closed: PoolEvent[] }> {
    const closed: PoolEvent[] = []
    const subject = make(url, (event) => event.type === 'closed' && closed.push(event))
    subjects.push(subject)
    await subject.ready()
    return { subject, closed }
  }

  /** The codes of so many queries, one after the other; '' where one succeeds. */
  async function codesOf(times: number, run: () => Promise<unknown>): Promise<string[]> {
    const codes: string[] = []
    for (let i = 0; i < times; i++) {
      codes.push(
        await run().then(
          () => '',
          ({ code }) => String(code),
        ),
      )
    }
    return codes
  }

  test.each([
    ['a duplicate key', 'insert into item values (1) on conflict do nothing; insert into item values (1)'],
    ['a syntax error', 'selec 1'],
    ['a division by zero', 'select 1 / 0'],
    ['a table that is not there', 'select * from nowhere'],
    ['a function that is not there', 'select nothing()'],
    ['an exception of the app', "do $$ begin raise exception 'no'; end $$"],
  ])('given %s again and again, then no connection is lost', async (_what, text) => {
    const { subject, closed } = await given()
    const codes = await codesOf(20, () => subject.query(text))
    expect(codes.every((code) => code !== '')).toBe(true)
    await codesOf(5, () => subject.transact(['select 1', text]))
    expect(closed).toEqual([])
  })

  test("given writes in a read-only transaction of the app's own, then no connection is lost", async () => {
    const { subject, closed } = await given()
    const writes = ['set transaction read only', 'insert into item values (99)']
    expect(await codesOf(5, () => subject.transact(writes))).toEqual(Array(5).fill('25006'))
    expect(closed).toEqual([])
  })

  test('given sessions that have become read-only, then each fails once', async () => {
    const { subject } = await given()
    await subject.query('set session characteristics as transaction read only')
    const codes = await codesOf(10, () => subject.query('insert into item values (7) on conflict do nothing'))
    expect(codes.filter((code) => code !== '').length).toBeLessThanOrEqual(1)
  })

  test.each([
    ['a search_path', 'set search_path to nowhere', 'select * from item', '42P01'],
    ['a role', 'set role pg_read_all_stats', 'select * from item', '42501'],
    ['a temporary table', 'create temporary table item (other int)', 'select name from item', '42703'],
  ])(
    'given %s that was left behind and breaks every query, then the connection is replaced',
    async (_what, leave, text, code) => {
      await server.query('grant pg_read_all_stats to app')
      const { subject } = await given()
      await subject.query(leave)
      const codes = await codesOf(20, () => subject.query(text))
      expect(codes.filter((each) => each === code).length).toBeLessThanOrEqual(6)
      expect(codes.slice(-5)).toEqual(Array(5).fill(''))
    },
  )

  test('given a session that the server ends in a transaction, then the error and the event contain the message of the server', async () => {
    const { subject, closed } = await given()
    const ended: { code?: string; cause?: { code?: string } } = await subject
      .transact(['select 1', 'select pg_terminate_backend(pg_backend_pid())', 'select 2'])
      .then(Object, (error) => error)
    expect([ended.code, ended.cause?.code]).toContain('57P01')
    await expect.poll(() => closed).toMatchObject([{ reason: 'lost', error: { code: '57P01' } }])
  })

  test('given a role that may not write, then hardly any connection is lost for its writes', async () => {
    await server.query('create role reader login password $$reader$$; grant all on item to reader')
    await server.query('alter role reader set default_transaction_read_only = on')
    const { subject, closed } = await given(server.urlFor({ user: 'reader', password: 'reader' }))
    await codesOf(20, () => subject.query('insert into item values (8)'))
    await subject.end()
    subjects.splice(subjects.indexOf(subject), 1)
    await server.query('revoke all on item from reader; drop role reader')
    expect(closed.filter((event) => event.type === 'closed' && event.reason === 'invalid')).toEqual([])
  })
})

describe("a named statement of the app's own, on pg", () => {
  test.each([
    ['a migration', () => server.query('alter table item alter column name type varchar(9)'), '0A000'],
    ['DEALLOCATE ALL', (pool: GuardedPool) => pool.query('deallocate all'), '26000'],
  ])('given %s, then it fails once, and works from then on', async (_what, change, code) => {
    const pool = new GuardedPool({ url: server.url, pool: { max: 1 } })
    const run = () => pool.query({ name: 'by id', text: 'select * from item where id = $1', values: [1] })
    await run()
    await change(pool)
    await expect(run()).rejects.toMatchObject({ code })
    for (let i = 0; i < 3; i++) await run()
    await pool.end()
    await server.query('alter table item alter column name type text')
  })
})
