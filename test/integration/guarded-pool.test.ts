import { AsyncLocalStorage } from 'node:async_hooks'
import { inspect } from 'node:util'
import { type PoolEvent, snapshotPools } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const pools: GuardedPool[] = []
function makePool(config: GuardedPoolConfig = {}): GuardedPool {
  const pool = new GuardedPool({ url: server.url, ...config })
  pools.push(pool)
  return pool
}
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => (pool.ending ? undefined : pool.end())))
  expect(snapshotPools()).toEqual([])
  await expect.poll(() => server.connectionCount()).toBe(0)
})

/** A pool that has looked at its database, so that nothing of that is counted in the test. */
async function makeReadyPool(config: GuardedPoolConfig = {}): Promise<GuardedPool> {
  const pool = makePool(config)
  await pool.ready()
  return pool
}

describe("given pg.Pool's users", () => {
  test('then promises, callbacks and every form of a query work', async () => {
    const pool = makePool()
    expect(pool).toBeInstanceOf(pg.Pool)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect((await pool.query('select $1::int as n', [2])).rows).toEqual([{ n: 2 }])
    expect((await pool.query({ text: 'select $1::int as n', values: [3], rowMode: 'array' })).rows).toEqual([[3]])
    expect((await pool.query({ name: 'named', text: 'select $1::int as n', values: [4] })).rows).toEqual([{ n: 4 }])
    const byCallback = new Promise((resolve, reject) => {
      pool.query('select $1::int as n', [5], (error, result) => (error ? reject(error) : resolve(result.rows)))
    })
    expect(await byCallback).toEqual([{ n: 5 }])
    const withoutValues = new Promise((resolve, reject) => {
      pool.query('select 6 as n', (error, result) => (error ? reject(error) : resolve(result.rows)))
    })
    expect(await withoutValues).toEqual([{ n: 6 }])
    const failing = new Promise((resolve) => pool.query('select nothing', (error) => resolve(error)))
    expect(await failing).toMatchObject({ code: '42703' })
  })

  test('then connect lends by promise and by callback, and a second release is an error', async () => {
    const pool = makePool()
    const client = await pool.connect()
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    client.release()
    expect(() => client.release()).toThrow('already been released')

    const rows = await new Promise((resolve, reject) => {
      pool.connect((error, found, done) => {
        if (error || !found) return reject(error)
        found.query('select 2 as two').then((result) => {
          done()
          resolve(result.rows)
        }, reject)
      })
    })
    expect(rows).toEqual([{ two: 2 }])
  })

  test('then events and counters are those of pg.Pool', async () => {
    const pool = await makeReadyPool({ max: 1 })
    await pool.query('select 1')
    const seen: string[] = []
    for (const event of ['connect', 'acquire', 'release', 'remove'] as const) pool.on(event, () => seen.push(event))
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 1, 0])
    const client = await pool.connect()
    expect([pool.totalCount, pool.idleCount, pool.waitingCount]).toEqual([1, 0, 0])
    const waiting = pool.query('select 1')
    expect(pool.waitingCount).toBe(1)
    client.release(true)
    await waiting
    expect(seen).toEqual(['acquire', 'release', 'remove', 'connect', 'acquire', 'release'])
    await pool.end()
    expect(seen.at(-1)).toBe('remove')
    expect([pool.ending, pool.ended]).toEqual([true, true])
    await expect(pool.end()).rejects.toThrow('Called end on pool more than once')
    await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
  })

  test('then onConnect and verify see a new client before anyone else', async () => {
    const pool = makePool({
      max: 1,
      onConnect: (client) => void client.query('set application_name to prepared'),
      verify: (client, done) => void client.query('select 1').then(() => done(), done),
    })
    const { rows } = await pool.query('show application_name')
    expect(rows).toEqual([{ application_name: 'prepared' }])
  })

  test('then a callback runs in the context of its own caller', async () => {
    const pool = await makeReadyPool({ max: 1 })
    const context = new AsyncLocalStorage<string>()
    const first = await context.run('first', () => pool.connect())
    const seen = new Promise((resolve) => {
      context.run('second', () => {
        pool.connect((_, client, done) => {
          resolve(context.getStore())
          client?.query('select 1').then(() => done(), done)
        })
      })
    })
    context.run('first', () => first.release())
    expect(await seen).toBe('second')
  })
})

describe('given a URL with what pg misreads or ignores', () => {
  test('then several hosts, settings with units, a search_path and a schema reach the server, and unsupported parameters produce warnings', async () => {
    const warnings: string[] = []
    const { host } = new URL(server.url)
    const listed = server.url.replace(host, `${host},${host}`)
    const pool = new GuardedPool({
      url: `${listed}?statement_timeout=5s&work_mem=8MB&schema=tenant&application_name=one+two&pgbouncer=true`,
      onEvent: (event) => event.type === 'warning' && warnings.push(event.message),
    })
    const { rows } = await pool.query(
      `select current_setting('statement_timeout') as timeout, current_setting('work_mem') as memory,
              current_setting('search_path') as path, current_setting('application_name') as name`,
    )
    expect(rows).toEqual([{ timeout: '5s', memory: '8MB', path: '"tenant"', name: 'one two' }])
    expect(warnings).toEqual([expect.stringMatching(/^pgbouncer: .*ignored-by-driver/)])
    await pool.end()
  })
})

describe('given errors', () => {
  test('when statements fail, then the connection is kept, whichever way they were sent', async () => {
    const pool = await makeReadyPool({ max: 1 })
    const { rows: before } = await pool.query('select pg_backend_pid() as pid')
    for (const statement of ['select nothing', 'select 1/0', 'insert into nowhere values (1)', 'selekt']) {
      await expect(pool.query(statement)).rejects.toBeInstanceOf(pg.DatabaseError)
      await expect(pool.query(statement, [])).rejects.toBeInstanceOf(pg.DatabaseError)
    }
    expect((await pool.query('select pg_backend_pid() as pid')).rows).toEqual(before)
  })

  test('when a password function gives a wrong one, then the pool calls it again, and callers wait for the right one', async () => {
    const { hostname: host, port, password: right } = new URL(server.url)
    const answers = ['expired', 'expired']
    const password = async () => answers.shift() ?? right
    const pool = new GuardedPool({ host, port: Number(port), user: 'app', database: 'app', password, max: 1 })
    pools.push(pool)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(answers).toEqual([])
  })

  test('when the environment variable for the URL is not set, then that is said at once', () => {
    expect(() => new GuardedPool({ url: process.env.NOT_SET })).toThrow('Invalid option url: undefined')
  })

  test('when a statement fails, then the stack leads to the caller that sent it', async () => {
    const pool = makePool()
    const error = await pool.query('select nothing').catch((reason: Error) => reason)
    expect((error as Error).stack).toContain('guarded-pool.test.ts')
  })

  test('when the password is wrong, then every caller is rejected at once, without the password in the error', async () => {
    const pool = makePool({ url: server.urlFor({ user: 'app', password: 'not-the-password' }) })
    const errors = await Promise.all(Array.from({ length: 5 }, () => pool.query('select 1').catch((e: Error) => e)))
    for (const error of errors) {
      expect(error).toMatchObject({ name: 'ConnectError', code: '28P01', cause: { code: '28P01' } })
      expect(String((error as Error).stack)).not.toContain('not-the-password')
    }
  })

  test.each(['acquire', 'release'] as const)(
    'when a listener of %s throws, then no connection is lost',
    async (event) => {
      const pool = await makeReadyPool({ max: 1, pool: { acquireTimeoutMillis: 1_000 } })
      pool.once(event, () => {
        throw new Error('from the listener')
      })
      const borrowAndReturn = async () => (await pool.connect()).release()
      await expect(borrowAndReturn()).rejects.toThrow('from the listener')
      await borrowAndReturn()
    },
  )

  test('when a pool is shown, as in a log, then its password is not', async () => {
    const pool = makePool({ name: 'orders' })
    const { password } = new URL(server.url)
    for (const shown of [inspect(pool, { depth: 9, showHidden: true }), inspect({ pool }), JSON.stringify({ pool })]) {
      expect(shown).toContain('orders')
      expect(shown).not.toContain(password)
    }
  })

  test('when a client is released in the middle of a transaction, then the next borrower gets a clean one', async () => {
    const pool = await makeReadyPool({ max: 1 })
    const client = await pool.connect()
    await client.query('begin')
    await client.query('create table half_done (id int)')
    client.release()
    expect(
      (await pool.query(`select to_regclass('half_done') as found, now() = statement_timestamp() as fresh`)).rows,
    ).toEqual([{ found: null, fresh: true }])

    const failed = await pool.connect()
    await failed.query('begin')
    await failed.query('select nothing').catch(() => {})
    failed.release()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    expect(pool.snapshot().stats).toMatchObject({ opened: 1 })
  })

  test('when nothing comes free in time, then the error says what the pool looked like and what to do', async () => {
    const pool = await makeReadyPool({ max: 1, pool: { acquireTimeoutMillis: 2_000 } })
    const client = await pool.connect()
    const error = await pool.query('select 1').catch((reason: Error) => reason)
    expect(error).toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT', pool: { active: 1, max: 1 } })
    expect((error as Error).message).toMatch(
      /within \d+ ms: 1 of 1 active \(the oldest lease out for \d+ ms, quiet for \d+ ms\)/,
    )
    client.release()
  })
})

describe('given what a client leaves behind', () => {
  const leaveSomething = async (pool: GuardedPool) => {
    const client = await pool.connect()
    await client.query(`set search_path to nowhere; begin`)
    client.release()
    return pool.query(`select current_setting('search_path') as path, now() = statement_timestamp() as fresh`)
  }

  test('then by default an open transaction is rolled back, which is counted and reported', async () => {
    const events: PoolEvent['type'][] = []
    const pool = await makeReadyPool({ max: 1, onEvent: ({ type }) => events.push(type) })
    expect((await leaveSomething(pool)).rows).toEqual([{ path: '"$user", public', fresh: true }])
    expect(events).toContain('dirty-release')
    expect(pool.snapshot().dirtyReleases).toBe(1)
  })

  test("then with reset 'discard' the session is as new, and named statements work on", async () => {
    const pool = await makeReadyPool({ max: 1, resetOnRelease: 'discard' })
    const statement = { name: 'kept', text: 'select $1::int as n', values: [1] }
    const client = await pool.connect()
    await client.query('set search_path to nowhere')
    await client.query(statement)
    client.release()
    expect((await pool.query('show search_path')).rows).toEqual([{ search_path: '"$user", public' }])
    expect((await pool.query(statement)).rows).toEqual([{ n: 1 }])
    expect(pool.snapshot().stats.opened).toBe(1)
  })

  test("then with reset 'off' nothing is done", async () => {
    const pool = await makeReadyPool({ max: 1, resetOnRelease: 'off' })
    const client = await pool.connect()
    await client.query('begin')
    await client.query('select 1')
    client.release()
    const { rows } = await pool.query('select now() = statement_timestamp() as fresh')
    expect(rows).toEqual([{ fresh: false }])
    await pool.query('rollback')
  })
})

describe('given a busy connection that is given up', () => {
  test('then its query is cancelled, and a replacement never goes over the limit', async () => {
    await server.query('alter role app connection limit 2')
    const failures: PoolEvent[] = []
    const pool = await makeReadyPool({
      max: 2,
      onEvent: (event) => event.type === 'connect-failed' && failures.push(event),
    })
    for (let i = 0; i < 5; i++) {
      const clients = await Promise.all([pool.connect(), pool.connect()])
      const outcomes = Promise.allSettled(clients.map((client) => client.query('select pg_sleep(60)')))
      for (const client of clients) client.release(true)
      expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
      for (const outcome of await outcomes) expect(outcome).toMatchObject({ reason: { code: '57014' } })
    }
    expect(failures).toEqual([])
    expect(
      await server.query(
        `select 1 from pg_stat_activity where query like '%pg_sleep(60)%' and state = 'active' and pid <> pg_backend_pid()`,
      ),
    ).toEqual([])
    await server.query('alter role app connection limit -1')
  })
})

describe('given a lease on which nothing is done', () => {
  test('then it is reported as a leak, and one on which a query runs is not', async () => {
    const leaks: PoolEvent[] = []
    const pool = await makeReadyPool({
      max: 2,
      pool: { leakThresholdMillis: 200, captureStacks: 'always' },
      onEvent: (event) => event.type === 'leak' && leaks.push(event),
    })
    const busy = await pool.connect()
    const sleeping = busy.query('select pg_sleep(1)')
    const leaked = await (async function leakyHandler() {
      return await pool.connect()
    })()
    await sleeping
    await expect.poll(() => leaks).toHaveLength(1)
    expect(leaks).toMatchObject([{ lease: { stack: expect.stringContaining('leakyHandler') } }])
    busy.release()
    leaked.release()
  })
})

describe('given lost connections', () => {
  const terminateAll = () =>
    server.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`)

  test('when an idle one is killed, then the next caller gets a new one, without an error listener', async () => {
    const pool = await makeReadyPool()
    await terminateAll()
    await expect.poll(() => pool.totalCount).toBe(0)
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })

  test('when an idle one is killed and there is a listener, then it gets the error', async () => {
    const pool = await makeReadyPool({ max: 1 })
    const told = new Promise((resolve) => pool.once('error', resolve))
    await terminateAll()
    expect(await told).toMatchObject({ code: '57P01' })
  })

  test('when a checked-out one is killed, then its slot comes back though it is never released', async () => {
    const pool = await makeReadyPool({ max: 1 })
    const kept = await pool.connect()
    await terminateAll()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    const error = await kept.query('select 1').catch((reason: unknown) => reason)
    expect(error).toMatchObject({ message: expect.stringContaining('not queryable'), code: '57P01' })
    kept.release()
    expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }])
  })

  test('when one is killed in a transaction and in a query, then the query fails and the pool goes on', async () => {
    const pool = await makeReadyPool({ max: 2 })
    const client = await pool.connect()
    await client.query('begin')
    const sleeping = client.query('select pg_sleep(60)')
    const alsoSleeping = pool.query('select pg_sleep(60)')
    const outcomes = Promise.allSettled([sleeping, alsoSleeping])
    await expect.poll(() => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)).toHaveLength(2)
    await terminateAll()
    for (const outcome of await outcomes)
      expect(outcome).toMatchObject({ status: 'rejected', reason: { code: '57P01' } })
    client.release()
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
  })
})

describe('given a server that is full', () => {
  test('when 200 callers ask, then a handful of attempts is made, and all are served when it has room', async () => {
    const others = Array.from({ length: 17 }, () => new pg.Client(server.url))
    await Promise.all(others.map((client) => client.connect()))
    try {
      const failures: PoolEvent[] = []
      const pool = makePool({
        pool: { acquireTimeoutMillis: 60_000 },
        onEvent: (event) => event.type === 'connect-failed' && failures.push(event),
      })
      const callers = Array.from({ length: 200 }, (_, i) => pool.query('select $1::int as i', [i]))
      const served = Promise.all(callers)
      await expect.poll(() => failures.length).toBeGreaterThan(3)
      await others[0]?.end()
      expect((await served).map(({ rows }) => rows[0].i)).toEqual(Array.from({ length: 200 }, (_, i) => i))
      expect(failures.length).toBeLessThanOrEqual(20)
      expect(failures[0]).toMatchObject({ failure: 'full', error: { code: '53300' } })
    } finally {
      await Promise.all(others.map((client) => client.end()))
    }
  })

  test('when it stays full, then the error of the wait says so', async () => {
    await server.query('alter role app connection limit 0')
    onTestFinished(async () => void (await server.query('alter role app connection limit -1')))
    const pool = makePool({ pool: { acquireTimeoutMillis: 3_000 } })
    const error = await pool.query('select 1').catch((reason: Error) => reason)
    expect(error).toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT', cause: { code: '53300' } })
    expect((error as Error).message).toContain('too many connections for role "app"')
  })
})

describe('given instances', () => {
  test('then the pool takes its part, and one connection until it knows it', async () => {
    const pool = makePool({ instances: 6 })
    expect(pool.settings.values.max).toBe(1)
    const peaks: number[] = []
    const watch = setInterval(() => peaks.push(pool.totalCount), 1)
    await Promise.all(Array.from({ length: 100 }, () => pool.query('select pg_sleep(0.002)')))
    clearInterval(watch)
    expect(Math.max(...peaks)).toBe(2)
    expect(pool.settings.reasons.max).toContain('14 / 6 instances = 2 each')
  })

  test('when they do not fit, then each makes do with one connection and says what to change', async () => {
    const warnings: string[] = []
    const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
    const pool = await makeReadyPool({ instances: 100, onEvent })
    expect(pool.settings.values.max).toBe(1)
    expect(warnings).toEqual([expect.stringContaining('raise max_connections to 115')])
  })

  test('then a given max is a ceiling', async () => {
    expect((await makeReadyPool({ instances: 2, max: 3 })).settings.values.max).toBe(3)
    expect((await makeReadyPool({ instances: 2, max: 30 })).settings.values.max).toBe(7)
  })
})

describe('given end', () => {
  test('then leases are waited for, waiters are served, and later callers are rejected', async () => {
    const pool = await makeReadyPool({ max: 1 })
    const client = await pool.connect()
    const waiting = pool.query('select 2 as two')
    const ended = pool.end()
    await expect(pool.query('select 1')).rejects.toThrow()
    expect((await client.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    client.release()
    expect((await waiting).rows).toEqual([{ two: 2 }])
    await ended
  })

  test('when a lease is never released, then it is closed after drainMillis', async () => {
    const pool = await makeReadyPool({ max: 1, pool: { drainMillis: 30 } })
    const kept = await pool.connect()
    await pool.end()
    await expect(kept.query('select 1')).rejects.toThrow()
    kept.release()
  })
})

test('given a resize, then growing serves those who wait and shrinking closes what is idle', async () => {
  const pool = await makeReadyPool({ max: 1 })
  const all = Promise.all(Array.from({ length: 4 }, () => pool.query('select pg_sleep(0.05)')))
  pool.resize({ max: 4 })
  await all
  expect(pool.totalCount).toBe(4)
  pool.resize({ max: 1 })
  await expect.poll(() => pool.totalCount).toBe(1)
})

test('given a resize, when the database is looked at afterwards, then the bounds hold', async () => {
  const pool = makePool({ max: 5 })
  pool.resize({ max: 2 })
  await pool.ready()
  expect(pool.snapshot().stats.max).toBe(2)
  await pool.ready({ refresh: true })
  expect(pool.snapshot().stats.max).toBe(2)
})

test('given a pool that was ended, when a caller acquires from it, then it is not registered again', async () => {
  const pool = makePool()
  await pool.end()
  await expect(pool.query('select 1')).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
  expect(snapshotPools()).toEqual([])
})
