import { setTimeout as pause } from 'node:timers/promises'
import { isPoolTimeout, snapshotPools } from '@poolguard/core'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { reportOf } from '../fault-table/messages.ts'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  startProxy,
  waitUntil,
} from '../harness/index.ts'
import { makeAccounts } from '../integration/accounts.ts'
import { type App, apps } from './adapted-apps.ts'

const LIMITS = { max: 3, acquireTimeoutMillis: 15_000 }
const DEBIT = 'update account set balance = balance - 1 where id = 1'
const CREDIT = 'update account set balance = balance + 1 where id = 2'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 40 })
  await makeAccounts(server)
})
afterAll(() => server.stop())

/** Everything is back, the app works, and no transfer was done by half. */
async function expectRecovered(app: App): Promise<void> {
  await waitUntil(() => app.run('select 1').then(() => true), { what: 'the app works again' })
  await app.transact(DEBIT, async () => {}, CREDIT)
  await waitUntil(() => snapshotPools().every(({ stats }) => stats.active === 0 && stats.waiting === 0), {
    what: 'every connection is back',
  })
  expect(await server.query('select sum(balance)::int from account where id in (1, 2)')).toEqual([{ sum: 200 }])
}

/** Twelve at work, four times as many as there are connections. */
function load(app: App): Promise<PromiseSettledResult<unknown>[]> {
  const work = Array.from({ length: 12 }, (_, i) =>
    i % 2 ? app.run('select pg_sleep(0.3)') : app.transact(DEBIT, () => pause(20), CREDIT),
  )
  return Promise.allSettled(work)
}

const killBackends = (state: string) =>
  server.query(`select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and state = '${state}'`)

describe.each(apps)('$orm on PostgreSQL', ({ open }) => {
  test('when idle connections are killed, then the next callers get new ones', async () => {
    await using app = await open({ url: server.url, ...LIMITS })
    await Promise.all([app.run('select 1'), app.run('select 1')])
    await killBackends('idle')
    await expectRecovered(app)
  })

  test('when a connection is killed in a transaction, then that fails as a whole', async () => {
    await using app = await open({ url: server.url, ...LIMITS })
    await expect(app.transact(DEBIT, () => killBackends('idle in transaction'), CREDIT)).rejects.toThrow()
    await expectRecovered(app)
  })

  test('when the line is cut under load, then the app goes on', async () => {
    await using proxy = await startProxy({ target: server })
    await using app = await open({ url: proxy.urlFor(server.url), ...LIMITS })
    const outcomes = load(app)
    await waitUntil(() => snapshotPools()[0]?.stats.active === LIMITS.max, { what: 'the pool is busy' })
    proxy.reset()
    for (const outcome of await outcomes)
      if (outcome.status === 'rejected') expect(reportOf(outcome.reason)).toMatchObject({ code: expect.any(String) })
    await expectRecovered(app)
  })

  test('when a connection is closed without a word, then the error of its transaction has a code', async () => {
    await using proxy = await startProxy({ target: server })
    await using app = await open({ url: proxy.urlFor(server.url), ...LIMITS })
    await app.run('select 1')
    const error = await app.transact(DEBIT, async () => proxy.cutAfter(0), CREDIT).catch((reason: unknown) => reason)
    await proxy.heal()
    expect(reportOf(error)).toMatchObject({ code: expect.any(String) })
    await expectRecovered(app)
  })

  test('when the server crashes under load and comes back, then the app goes on', async () => {
    await using crashing = await startPostgres({ maxConnections: 20 })
    await using app = await open({ url: crashing.url, ...LIMITS })
    const outcomes = Promise.allSettled(Array.from({ length: 12 }, () => app.run('select pg_sleep(0.3)')))
    await waitUntil(() => snapshotPools()[0]?.stats.active === LIMITS.max, { what: 'the pool is busy' })
    await crashing.kill('SIGKILL')
    await crashing.restart()
    await outcomes
    await expect(app.run('select 1')).resolves.toBeDefined()
  })
})

const describePooled = await describeWithPgBouncer()
describePooled.each(apps)('$orm through PgBouncer in transaction mode', ({ open }) => {
  test('when it pauses, then callers wait, and nothing fails', async () => {
    await using pooler = await startPgBouncer({ upstream: server, settings: { default_pool_size: 2 } })
    await using app = await open({ url: pooler.url, ...LIMITS })
    // With a login under way PgBouncer fails the query that waits for it.
    await load(app)
    await command(pooler, 'PAUSE')
    const outcomes = load(app)
    await command(pooler, 'RESUME')
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'fulfilled' })
    await expectRecovered(app)
  })

  test('when no server comes free in time, then that is recognised, and the app goes on', async () => {
    const settings = { default_pool_size: 1, query_wait_timeout: 1 }
    await using pooler = await startPgBouncer({ upstream: server, settings })
    await using app = await open({ url: pooler.url, ...LIMITS })
    await app.run('select 1')
    const holder = new pg.Client(pooler.url)
    await holder.connect()
    await holder.query('begin')
    const error = await app.run('select 1').catch((reason: unknown) => reason)
    expect(isPoolTimeout(error), String(error)).toBe(true)
    await holder.query('rollback')
    await holder.end()
    await expectRecovered(app)
  })

  test('when the backend of a transaction is killed, then that fails as a whole', async () => {
    await using pooler = await startPgBouncer({ upstream: server, settings: { default_pool_size: 2 } })
    await using app = await open({ url: pooler.url, ...LIMITS })
    await expect(app.transact(DEBIT, () => killBackends('idle in transaction'), CREDIT)).rejects.toThrow()
    await expectRecovered(app)
  })

  test('when it is killed under load and comes back, then the app goes on', async () => {
    await using pooler = await startPgBouncer({ upstream: server, settings: { default_pool_size: 2 } })
    await using app = await open({ url: pooler.url, ...LIMITS })
    const outcomes = load(app)
    await waitUntil(() => snapshotPools()[0]?.stats.active === LIMITS.max, { what: 'the pool is busy' })
    await pooler.kill('SIGKILL')
    await pooler.restart()
    await outcomes
    await expectRecovered(app)
  })

  test('when it has no client connection left, then callers wait until it has', async () => {
    const settings = { default_pool_size: 2, max_client_conn: 4 }
    await using pooler = await startPgBouncer({ upstream: server, settings })
    const hog = new pg.Client(pooler.url)
    const others = [hog, new pg.Client(pooler.url), new pg.Client(pooler.url)]
    for (const each of others) await each.connect()
    await using app = await open({ url: pooler.url, ...LIMITS })
    const outcomes = load(app)
    await waitUntil(() => Number(snapshotPools()[0]?.stats.connectFailures.full) > 0, { what: 'it is full' })
    for (const each of others) await each.end()
    for (const outcome of await outcomes) expect(outcome).toMatchObject({ status: 'fulfilled' })
    await expectRecovered(app)
  })
})

async function command(pooler: PgBouncerServer, text: string): Promise<void> {
  const console = new pg.Client(pooler.adminUrl)
  await console.connect()
  await console.query(text)
  await console.end()
}
