import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, observe as observePool } from '@poolguard/pg'
import { guardPostgres, observe as observeSql } from '@poolguard/postgres-js'
import pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import postgres, { type ReservedSql } from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, startProxy, waitUntil } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 50 })
  await server.query('create table numbers (n int); grant all on numbers to app')
})
afterAll(() => server.stop())

/** Below two seconds a running query is not called quiet. */
const THRESHOLD = { leakThresholdMillis: 200, longQueryMillis: 60_000 }

/** A pool, guarded or observed, and the events of its leak detection. */
interface Watched<C> {
  readonly events: PoolEvent[]
  borrow(): Promise<C>
  end(): Promise<unknown>
}

const told = ({ events }: Watched<unknown>, type: PoolEvent['type']) => events.filter((event) => event.type === type)

function watchedPg(settings: object = THRESHOLD, url = server.url): Watched<pg.PoolClient> {
  const events: PoolEvent[] = []
  const pool = new GuardedPool({
    url,
    max: 1,
    pool: { ...settings, drainMillis: 0 },
    onEvent: (event) => events.push(event),
  })
  return { events, borrow: () => pool.connect(), end: () => pool.end() }
}

function observedPg(settings: object = THRESHOLD, url = server.url): Watched<pg.PoolClient> {
  const events: PoolEvent[] = []
  const pool = new pg.Pool({ connectionString: url, max: 1 })
  pool.on('error', () => {})
  const observation = observePool(pool, { ...settings, onEvent: (event) => events.push(event) })
  const clients: pg.PoolClient[] = []
  const borrow = async () => {
    const client = await pool.connect()
    client.on('error', () => {})
    clients.push(client)
    return client
  }
  const end = async () => {
    observation.stop()
    for (const client of clients) client.release(true)
    await pool.end()
  }
  return { events, borrow, end }
}

function watchedSql(settings: object = THRESHOLD, url = server.url): Watched<ReservedSql> {
  const events: PoolEvent[] = []
  const sql = guardPostgres({
    url,
    max: 1,
    pool: { ...settings, drainMillis: 0 },
    onEvent: (event) => events.push(event),
  })
  return { events, borrow: () => sql.reserve(), end: () => sql.end() }
}

function observedSql(settings: object = THRESHOLD, url = server.url): Watched<ReservedSql> {
  const events: PoolEvent[] = []
  const sql = postgres(url, { max: 1, fetch_types: false })
  const observation = observeSql(sql, { ...settings, onEvent: (event) => events.push(event) })
  const end = async () => {
    observation.stop()
    await sql.end({ timeout: 0 })
  }
  const borrow = async () => {
    // An instance that has not connected yet never answers a reservation.
    await sql`select 1`
    return await sql.reserve()
  }
  return { events, borrow, end }
}

type Use<C> = (connection: C) => Promise<unknown>

const WITH_PG: Record<string, Use<pg.PoolClient>> = {
  'nothing at all': async (client) => await client.query('select 1'),
  'a cursor that is half read': (client) => client.query(new Cursor('select generate_series(1, 100)')).read(1),
  'a stream that is half read': async (client) => {
    const stream = client.query(new QueryStream('select generate_series(1, 100000)'))
    await new Promise((resolve) => stream.once('readable', resolve))
    stream.on('error', () => {}).read()
  },
  'a COPY that is not fed': async (client) => {
    const stream = client.query(copyFrom('copy numbers from stdin'))
    stream.on('error', () => {}).write('1\n')
  },
  'a COPY that is not read': async (client) => {
    client.query(copyTo('copy (select generate_series(1, 2000000)) to stdout')).on('error', () => {})
  },
  'an open transaction': async (client) => await client.query('begin'),
}

const WITH_POSTGRES_JS: Record<string, Use<ReservedSql>> = {
  'nothing at all': async (sql) => await sql`select 1`,
  'a cursor that is half read': async (sql) => {
    const rows = sql`select generate_series(1, 100)`.cursor(10)[Symbol.asyncIterator]()
    await rows.next()
  },
  'a cursor whose callback does not return': async (sql) => {
    await new Promise<void>((resolve) => {
      const never = new Promise(() => resolve())
      sql`select generate_series(1, 100)`.cursor(10, () => never as Promise<undefined>).catch(() => {})
    })
  },
  'a COPY that is not fed': async (sql) => {
    const stream = await sql`copy numbers from stdin`.writable()
    stream.on('error', () => {}).write('1\n')
  },
  'a COPY that is not read': async (sql) => {
    const stream = await sql`copy (select generate_series(1, 2000000)) to stdout`.readable()
    stream.on('error', () => {})
  },
}

function describeQuietLeases<C>(name: string, watch: () => Watched<C>, uses: Record<string, Use<C>>): void {
  describe(`given ${name}`, () => {
    test.each(Object.entries(uses))(
      'when a lease has %s on which nothing moves, then it is a leak',
      async (_what, use) => {
        const watched = watch()
        const connection = await watched.borrow()
        await use(connection)
        await waitUntil(() => told(watched, 'leak').length > 0, { what: 'the leak is reported' })
        expect(told(watched, 'leak')).toHaveLength(1)
        expect(told(watched, 'leak')).not.toMatchObject([{ lease: { query: {} } }])
        expect(told(watched, 'long-query')).toEqual([])
        await watched.end()
      },
    )
  })
}

describeQuietLeases('pg', watchedPg, WITH_PG)
describeQuietLeases('an observed pg.Pool', observedPg, WITH_PG)
describeQuietLeases('postgres.js', watchedSql, WITH_POSTGRES_JS)
describeQuietLeases('an observed postgres()', observedSql, WITH_POSTGRES_JS)

const ask: Record<string, (connection: never, text: string) => Promise<unknown>> = {
  pg: (client: pg.PoolClient, text) => client.query(text).catch(() => {}),
  'postgres.js': (sql: ReservedSql, text) => sql.unsafe(text).catch(() => {}),
}
const WATCHED = [
  ['pg', watchedPg, ask.pg],
  ['an observed pg.Pool', observedPg, ask.pg],
  ['postgres.js', watchedSql, ask['postgres.js']],
  ['an observed postgres()', observedSql, ask['postgres.js']],
] as unknown as [
  string,
  (settings?: object, url?: string) => Watched<never>,
  (connection: never, text: string) => Promise<unknown>,
][]

describe.each(WATCHED)('given %s', (_name, watch, query) => {
  test('when a query is never answered, then it is a leak with the text of the query', async () => {
    await using proxy = await startProxy({ target: server })
    const watched = watch(THRESHOLD, proxy.urlFor(server.url))
    const connection = await watched.borrow()
    await query(connection, 'select 1')
    proxy.blackhole()
    void query(connection, "select 'secret', 2 from pg_class")
    await waitUntil(() => told(watched, 'leak').length > 0, { what: 'the leak is reported' })
    expect(told(watched, 'leak')).toMatchObject([{ lease: { query: { text: 'select ?, ? from pg_class' } } }])
    proxy.reset()
    await watched.end()
  })

  test('when a query runs for long, then it is reported once, with its text and its caller, and is no leak', async () => {
    const watched = watch({ leakThresholdMillis: 400, longQueryMillis: 200, captureStacks: 'always' })
    const connection = await (async function borrowHere() {
      return await watched.borrow()
    })()
    const running = query(connection, "select pg_sleep(3), 'secret'")
    await waitUntil(() => told(watched, 'long-query').length > 0, { what: 'the query is reported' })
    await running
    expect(told(watched, 'long-query')).toMatchObject([
      {
        query: { text: 'select pg_sleep(?), ?' },
        lease: { stack: expect.stringMatching(/borrowHere.*quiet-leases\.test\.ts:\d+/) },
      },
    ])
    expect(told(watched, 'leak')).toEqual([])
    await watched.end()
  })

  test('when a borrower listens for notifications, then it is no leak until it listens no more', async () => {
    const watched = watch()
    const connection = await watched.borrow()
    await query(connection, 'listen news')
    await query(connection, 'select pg_sleep(1)')
    expect(told(watched, 'leak')).toEqual([])
    await query(connection, 'unlisten news')
    await waitUntil(() => told(watched, 'leak').length > 0, { what: 'the leak is reported' })
    await watched.end()
  })
})
