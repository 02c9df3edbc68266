import { inspect } from 'node:util'
import { type PoolEvent, snapshotPools } from '@poolguard/core'
import { type GuardedOptions, type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import postgres from 'postgres'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, startProxy } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const open: GuardedSql[] = []
function make(options: GuardedOptions = {}): GuardedSql {
  const sql = guardPostgres({ url: server.url, name: 'orders', ...options }) as GuardedSql
  open.push(sql)
  return sql
}
afterEach(async () => {
  await Promise.all(open.splice(0).map((sql) => sql.end()))
  expect(snapshotPools()).toEqual([])
  await expect.poll(() => server.connectionCount()).toBe(0)
})

/** One that has looked at its database, so that nothing of that is counted in the test. */
async function makeReady(options: GuardedOptions = {}): Promise<GuardedSql> {
  const sql = make(options)
  await sql.ready()
  return sql
}

describe('given a budget', () => {
  test('when 200 callers ask at once, then all are served, and no more connections are open than max', async () => {
    const sql = await makeReady({ max: 2 })
    let most = 0
    const callers = Array.from({ length: 200 }, async (_, n) => {
      const [row] = await sql`select ${n}::int as n, count(*)::int as open from pg_stat_activity where usename = 'app'`
      most = Math.max(most, row?.open)
      return row?.n
    })
    expect(await Promise.all(callers)).toEqual(Array.from({ length: 200 }, (_, n) => n))
    expect(most).toBeLessThanOrEqual(2)
    expect(sql.snapshot().stats).toMatchObject({ max: 2, opened: 2, connecting: 0 })
  })

  test('when it is one of six instances, then it takes its part', async () => {
    const sql = await makeReady({ instances: 6 })
    expect(sql.settings.values.max).toBe(2)
    expect(sql.options.max).toBe(2)
    expect(sql.settings.reasons.max).toContain('14 / 6 instances = 2 each')
  })

  test('when it is resized, then waiters are served at once, and surplus goes', async () => {
    const sql = await makeReady({ max: 1 })
    const sleeping = Promise.all([1, 2, 3].map(() => sql`select pg_sleep(0.3)`))
    await expect.poll(() => sql.snapshot().stats.waiting).toBe(2)
    sql.resize({ max: 3 })
    await expect.poll(() => sql.snapshot().stats).toMatchObject({ active: 3, waiting: 0 })
    await sleeping
    sql.resize({ max: 1 })
    await expect.poll(() => sql.snapshot().stats.total).toBe(1)
    await expect.poll(() => server.connectionCount()).toBe(1)
  })

  test('when the server is full, then 200 callers make few attempts, and wait', async () => {
    await server.query('alter role app connection limit 1')
    const failures: PoolEvent[] = []
    const holder = await makeReady({ max: 1 })
    await holder`select 1`
    const sql = make({ max: 10, onEvent: (event) => event.type === 'connect-failed' && failures.push(event) })
    const all = Promise.all(Array.from({ length: 200 }, (_, n) => sql`select ${n}::int as n`))
    await expect.poll(() => failures.length).toBeGreaterThan(2)
    expect(failures[0]).toMatchObject({ failure: 'full', error: { code: '53300' } })
    await server.query('alter role app connection limit -1')
    expect(await all).toHaveLength(200)
    expect(failures.length).toBeLessThan(20)
  })
})

describe('given no caller that releases', () => {
  test('when the wait is over, then the error says what the pool looked like and who asked', async () => {
    const sql = await makeReady({ max: 1, pool: { acquireTimeoutMillis: 2_000 } })
    const held = await sql.reserve()
    const error = await sql`select 1`.catch((reason: Error) => reason)
    expect(error).toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT', pool: { active: 1, max: 1 } })
    expect((error as Error).message).toMatch(/within \d+ ms: 1 of 1 active \(the oldest lease out for \d+ ms/)
    expect((error as Error).stack).toContain('postgres-js.test.ts')
    held.release()
    await expect(sql.begin((tx) => tx`select 1 as one`)).resolves.toEqual([{ one: 1 }])
  })

  test('when so many wait already, then one more is turned away at once', async () => {
    const sql = await makeReady({ max: 1, pool: { maxWaiters: 2 } })
    const held = await sql.reserve()
    const waiting = [sql`select 1`, sql`select 2`].map((query) => query.execute())
    await expect.poll(() => sql.snapshot().stats.waiting).toBe(2)
    await expect(sql`select 3`).rejects.toMatchObject({ code: 'POOLGUARD_SATURATED' })
    held.release()
    await Promise.all(waiting)
  })

  test('when nothing is done on a reserved connection, then it is reported as a leak, and a busy one is not', async () => {
    const leaks: PoolEvent[] = []
    const sql = await makeReady({
      max: 2,
      pool: { leakThresholdMillis: 200, captureStacks: 'always' },
      onEvent: (event) => event.type === 'leak' && leaks.push(event),
    })
    const busy = await sql.reserve()
    const sleeping = busy`select pg_sleep(1)`.execute()
    const leaked = await (async function leakyHandler() {
      return await sql.reserve()
    })()
    await sleeping
    expect(leaks).toMatchObject([{ lease: { stack: expect.stringContaining('leakyHandler') } }])
    busy.release()
    leaked.release()
  })

  test.runIf(Number.parseInt(process.versions.node, 10) >= 24)(
    'when sql is used in a transaction where tx is meant, then the deadlock is reported',
    async () => {
      const sql = await makeReady({ max: 1, pool: { acquireTimeoutMillis: 4_000 } })
      const error = await sql.begin(() => sql`select 1`).catch((reason: Error) => reason)
      expect(error).toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT', pool: { deadlocked: true } })
    },
  )
})

describe('given connections that are lost', () => {
  const terminateAll = () =>
    server.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app'`)

  test('when a query runs on one, then it fails with what the server said, and unrelated ones do not', async () => {
    const sql = await makeReady({ max: 1 })
    const sleeping = sql`select pg_sleep(30)`.catch((error: Error) => error)
    await expect.poll(() => server.query(`select 1 from pg_stat_activity where wait_event = 'PgSleep'`)).toHaveLength(1)
    await terminateAll()
    expect(await sleeping).toMatchObject({ name: 'PostgresError', code: '57P01', severity: 'FATAL' })
    for (const n of [1, 2, 3]) expect(await sql`select ${n}::int as n`).toEqual([{ n }])
  })

  test('when an idle one is swallowed, then a caller gets a new one', async () => {
    await using proxy = await startProxy({ target: server })
    const sql = await makeReady({
      url: proxy.urlFor(server.url),
      pool: { validateAfterIdleMillis: 0, connectTimeoutMillis: 300 },
    })
    proxy.blackhole()
    const asked = sql`select 1 as one`.execute()
    await expect.poll(() => sql.snapshot().stats.connectFailures.unavailable).toBeGreaterThan(0)
    await proxy.heal()
    expect(await asked).toEqual([{ one: 1 }])
  })

  test('when the server comes back, then callers have waited for it', async () => {
    await using restarted = await startPostgres({ maxConnections: 20 })
    const sql = await makeReady({ url: restarted.url, max: 5 })
    let failed = 0
    let served = 0
    const lines = Array.from({ length: 10 }, async () => {
      for (let i = 0; i < 200; i++) {
        await sql`select pg_sleep(0.002)`.then(
          () => served++,
          () => failed++,
        )
      }
    })
    await expect.poll(() => served).toBeGreaterThan(100)
    await restarted.restart()
    await Promise.all(lines)
    expect(failed).toBeLessThanOrEqual(10)
    expect(served + failed).toBe(2_000)
    await sql.end()
  })
})

describe('given a server that refuses', () => {
  test('when the password is wrong, then every caller is rejected at once, without the password in the error', async () => {
    const sql = make({ url: server.urlFor({ user: 'app', password: 'not-the-password' }) })
    const errors = await Promise.all(Array.from({ length: 5 }, () => sql`select 1`.catch((e: Error) => e)))
    for (const error of errors) {
      expect(error).toMatchObject({ name: 'ConnectError', code: '28P01', cause: { code: '28P01' } })
      expect(String((error as Error).stack)).not.toContain('not-the-password')
    }
  })

  test('when a password function gives a wrong one, then the pool calls it again, and callers wait for the right one', async () => {
    const { hostname: host, port, password: right } = new URL(server.url)
    const answers = ['expired', 'expired']
    const sql = guardPostgres({
      ...{ host, port: Number(port), user: 'app', database: 'app', max: 1 },
      password: async () => answers.shift() ?? right,
    })
    open.push(sql)
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
    expect(answers).toEqual([])
  })

  test('when the first of two hosts is down, then the second is taken, and target_session_attrs is heeded', async () => {
    const { host } = new URL(server.url)
    const url = server.url.replace(host, `127.0.0.1:1,${host}`)
    expect(await make({ url })`select 1 as one`).toEqual([{ one: 1 }])
    expect(await make({ url, target_session_attrs: 'primary' })`select 1 as one`).toEqual([{ one: 1 }])
    const standby = make({ url, target_session_attrs: 'standby', pool: { acquireTimeoutMillis: 300 } })
    await expect(standby`select 1`).rejects.toMatchObject({ cause: { code: '08001' } })
  })
})

describe('given the end', () => {
  test('when it is called under load, then all earlier queries are answered, and later callers are rejected', async () => {
    const sql = await makeReady({ max: 2 })
    const answers = Promise.all(Array.from({ length: 20 }, () => sql`select pg_sleep(0.1)`))
    await expect.poll(() => sql.snapshot().stats.active).toBe(2)
    await sql.end()
    expect(await answers).toHaveLength(20)
    expect(sql.closed).toBe(true)
    await expect(sql`select 1`).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
    await expect(sql.begin((tx) => tx`select 1`)).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
  })

  test('when it has a timeout, then what still runs by then is cancelled', async () => {
    const sql = await makeReady({ max: 1 })
    const sleeping = sql`select pg_sleep(60)`.catch((error: Error) => error)
    await expect.poll(() => sql.snapshot().stats.active).toBe(1)
    await sql.end({ timeout: 0.1 })
    expect(await sleeping).toMatchObject({ code: '57014' })
  })

  test('when close is called, then idle connections go, and the pool goes on', async () => {
    const sql = await makeReady({ max: 2 })
    await Promise.all([sql`select 1`, sql`select 1`])
    await sql.closeIdle()
    await expect.poll(() => server.connectionCount()).toBe(0)
    expect(await sql`select 1 as one`).toEqual([{ one: 1 }])
  })

  test('when it is shown, as in a log, then its password is not', () => {
    const sql = make()
    const { password } = new URL(server.url)
    expect(inspect(sql, { depth: 9 })).toContain('orders')
    expect(inspect({ sql })).not.toContain(password)
  })
})

test('given options of postgres.js, then they have their meaning', async () => {
  const sql = await makeReady({ max: 3, idle_timeout: 7, max_lifetime: 60, connect_timeout: 2, pool: { max: 2 } })
  expect(sql.settings.values).toMatchObject({
    ...{ max: 2, idleTimeoutMillis: 7_000, maxLifetimeMillis: 60_000, connectTimeoutMillis: 2_000 },
  })
  expect(sql.options).toMatchObject({ max: 2, idle_timeout: 7, max_lifetime: 60, database: 'app' })
  expect(sql.parameters).toMatchObject({ client_encoding: 'UTF8' })
  expect(sql.PostgresError).toBe(postgres.PostgresError)
})
