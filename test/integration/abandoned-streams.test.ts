import { execFile } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { GuardedPool } from '@poolguard/pg'
import { type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import type { Client, PoolClient } from 'pg'
import copy from 'pg-copy-streams'
import Cursor from 'pg-cursor'
import QueryStream from 'pg-query-stream'
import type { ReservedSql } from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PgBouncerServer, type PostgresServer, startPgBouncer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
let pgBouncer: PgBouncerServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 50 })
  await server.query('create table numbers (n int); grant all on numbers to app')
  pgBouncer = await startPgBouncer({ upstream: server, poolMode: 'session' })
})
afterAll(async () => {
  await pgBouncer.stop()
  await server.stop()
})

/** Shorter than the three seconds for which a connection is cancelled again and again, where the server does not answer. */
const SETTINGS = { max: 1, acquireTimeoutMillis: 1_500 }
/** More than fits into the buffers of the sockets. */
const MANY = 2_000_000

async function expectNoQueries(): Promise<void> {
  const others = "select count(*)::int as n from pg_stat_activity where usename = 'app' and state <> 'idle'"
  await expect.poll(async () => (await server.query(others))[0]).toEqual({ n: 0 })
}

/** A socket that is read past pg is a paused one. */
function readable(stream: Readable): Promise<unknown> {
  return new Promise((resolve) => stream.on('error', () => {}).once('readable', resolve))
}

/** What a borrower leaves behind. */
const LEFT_BY_PG: Record<string, (client: PoolClient) => Promise<unknown>> = {
  'a cursor that was not read': async (client) => client.query(new Cursor('select generate_series(1, 1000)')),
  'a cursor that was read in part': (client) => client.query(new Cursor('select generate_series(1, 1000)')).read(1),
  'a cursor that was read in part in a transaction': async (client) => {
    await client.query('begin')
    await client.query(new Cursor('select generate_series(1, 1000)')).read(1)
  },
  'a query stream that was read in part': async (client) => {
    const stream = client.query(new QueryStream('select * from generate_series(1, 100000)'))
    await readable(stream)
    stream.read()
  },
  'a COPY TO that was not read': async (client) =>
    client.query(copy.to(`copy (select 1) to stdout`)).on('error', () => {}),
  'a COPY TO whose reader has failed': async (client) => {
    const stream = client.query(copy.to(`copy (select generate_series(1, ${MANY})) to stdout`))
    await readable(stream)
    stream.destroy()
  },
  'a COPY FROM that was not ended': async (client) => {
    const stream = client.query(copy.from('copy numbers from stdin')).on('error', () => {})
    await new Promise((resolve) => stream.write('5\n', resolve))
  },
}

describe.each(['PostgreSQL', 'PgBouncer'])('pg on %s', (where) => {
  const url = () => (where === 'PostgreSQL' ? server.url : pgBouncer.url)

  describe.each(Object.entries(LEFT_BY_PG))('given %s', (_what, leave) => {
    test.each([
      ['release(true)', true],
      ['release()', undefined],
    ])('when it is followed by %s, then the next caller gets a connection soon', async (_how, destroy) => {
      const pool = new GuardedPool({ url: url(), pool: SETTINGS, onEvent: () => {} })
      await pool.ready()
      const client = await pool.connect()
      await leave(client)
      client.release(destroy)
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      await pool.end()
      await expectNoQueries()
      expect(await server.query('select * from numbers')).toEqual([])
    })

    test('when it is followed by release(true) and end(), then that ends soon', async () => {
      const pool = new GuardedPool({ url: url(), pool: SETTINGS, onEvent: () => {} })
      await pool.ready()
      const client = await pool.connect()
      await leave(client)
      client.release(true)
      await soon(pool.end())
      await expectNoQueries()
    })
  })
})

test('pg: queries that wait behind one that runs are not sent any more when their client is destroyed', async () => {
  const pool = new GuardedPool({ url: server.url, pool: SETTINGS, onEvent: () => {} })
  await pool.ready()
  const client = await pool.connect()
  const queries = Promise.allSettled([1, 2, 3, 4, 5].map(() => client.query('select pg_sleep(20)')))
  const sleeping = "select count(*)::int as n from pg_stat_activity where wait_event = 'PgSleep'"
  await expect.poll(async () => (await server.query(sleeping))[0]).toEqual({ n: 1 })
  client.release(true)
  await soon(pool.query('select 1'))
  expect((await queries).map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
  expect(await server.query(sleeping)).toEqual([{ n: 0 }])
  await pool.end()
})

const LEFT_BY_POSTGRES_JS: Record<string, (sql: ReservedSql) => Promise<unknown>> = {
  'a cursor that was read in part': async (sql) => {
    const rows = sql`select generate_series(1, 1000)`.cursor(1)[Symbol.asyncIterator]()
    await rows.next()
  },
  'a COPY TO that was read in part': async (sql) => {
    const stream = await sql.unsafe(`copy (select generate_series(1, ${MANY})) to stdout`).readable()
    await readable(stream)
  },
  'a COPY FROM that was not ended': async (sql) => {
    const stream: Writable = await sql.unsafe('copy numbers from stdin').writable()
    await new Promise((resolve) => stream.on('error', () => {}).write('5\n', resolve))
  },
}

describe('postgres.js', () => {
  function make(settings: object = {}): GuardedSql {
    return guardPostgres(server.url, { pool: { ...SETTINGS, ...settings }, onEvent: () => {} })
  }

  describe.each(Object.entries(LEFT_BY_POSTGRES_JS))('given %s', (_what, leave) => {
    test('when it is followed by release(), then the next caller gets a connection soon', async () => {
      const sql = make()
      await sql.ready()
      const reserved = await sql.reserve()
      await leave(reserved)
      reserved.release()
      expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
      await sql.end()
      await expectNoQueries()
      expect(await server.query('select * from numbers')).toEqual([])
    })

    test('when it is still open at the end of a drain, then that ends soon', async () => {
      const sql = make({ drainMillis: 50 })
      await sql.ready()
      await leave(await sql.reserve())
      await soon(sql.end())
      await expectNoQueries()
    })
  })

  const COPIED = 'copy pg_catalog.pg_attribute to stdout'
  /** Slower than the server, so that postgres.js pauses the socket. */
  const drain = async (stream: Readable) => {
    let bytes = 0
    await pipeline(stream, async (chunks: AsyncIterable<Buffer>) => {
      for await (const chunk of chunks) {
        bytes += chunk.length
        await new Promise((resolve) => setImmediate(resolve))
      }
    })
    return bytes
  }

  test('a COPY TO that was read to its end leaves a connection that answers, for every later caller', async () => {
    const sql = make()
    for (let round = 0; round < 6; round++) {
      expect(await drain(await sql.unsafe(COPIED).readable())).toBeGreaterThan(0)
      await soon(sql`select 1`)
    }
    await sql.begin(async (tx) => {
      for (let round = 0; round < 6; round++) {
        await drain(await tx.unsafe(COPIED).readable())
        await soon(tx`select 1`)
      }
    })
    const reserved = await sql.reserve()
    for (let round = 0; round < 6; round++) {
      await drain(await reserved.unsafe(COPIED).readable())
      await soon(reserved`select 1`)
    }
    reserved.release()
    expect(sql.snapshot().stats).toMatchObject({ opened: 1 })
    await sql.end()
  })
})

/** What a borrower may do to a client, or to the socket and the protocol below it. */
const DONE_TO_CLIENT: Record<string, (client: Client) => void> = {
  'pauses the socket': (client) => wireOf(client).stream.pause(),
  'corks the socket': (client) => wireOf(client).stream.cork(),
  'removes all listeners of the client': (client) => client.removeAllListeners(),
  'removes all listeners of the connection': (client) => wireOf(client).removeAllListeners(),
  'removes all listeners of the socket': (client) => wireOf(client).stream.removeAllListeners(),
  'removes the listener of data': (client) => wireOf(client).stream.removeAllListeners('data'),
  'gives the socket a timeout': (client) => wireOf(client).stream.setTimeout(1, () => wireOf(client).stream.destroy()),
  'closes the socket': (client) => wireOf(client).stream.destroy(),
  'half-closes the socket': (client) => wireOf(client).stream.end(),
  'ends the client': (client) => void client.end(),
}

function wireOf(client: unknown): { stream: import('node:net').Socket; removeAllListeners(): void } {
  return (client as { connection: never }).connection
}

describe('pg: a borrower that', () => {
  test.each(Object.entries(DONE_TO_CLIENT))('%s does not keep the next caller from an answer', async (_what, doIt) => {
    const pool = new GuardedPool({ url: server.url, pool: SETTINGS, onEvent: () => {} }).on('error', () => {})
    await pool.ready()
    const client = await pool.connect()
    doIt(client as unknown as Client)
    client.release()
    for (let round = 0; round < 3; round++) {
      await new Promise((resolve) => setTimeout(resolve, 5))
      await soon(pool.query('select 1'))
    }
    await soon(pool.end())
  })

  test('removes all listeners of the client does not have its loss end the process', async () => {
    const pool = new GuardedPool({ url: server.url, pool: SETTINGS, onEvent: () => {} })
    await pool.ready()
    const client = await pool.connect()
    client.removeAllListeners()
    client.release()
    await server.query("select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'")
    await expect.poll(() => pool.totalCount).toBe(0)
    await pool.query('select 1')
    await pool.end()
  })

  test('lets the process end does not do so for the next caller', async () => {
    const script = `
      import { GuardedPool } from '@poolguard/pg'
      const pool = new GuardedPool({ url: ${JSON.stringify(server.url)}, pool: { max: 1 } })
      await pool.ready()
      const client = await pool.connect()
      client.unref()
      client.release()
      await pool.query('select pg_sleep(0.2)')
      console.log('answered')
      await pool.end()
    `
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], {
      cwd: import.meta.dirname,
    })
    expect(stdout).toContain('answered')
  })
})

/** Fails where it takes as long as cancelling in vain does. */
async function soon<T>(promise: PromiseLike<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error('it takes too long')), 2_500)
  })
  return await Promise.race([promise, late]).finally(() => clearTimeout(timer))
}
