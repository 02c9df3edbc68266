import { InvalidOptionError, SessionStateError } from '@poolguard/core'
import { GuardedPool, type ListenGap } from '@poolguard/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  startProxy,
} from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
})
afterAll(() => server.stop())

function givenPool(url = server.url): GuardedPool {
  return new GuardedPool({ url, max: 3, name: 'listening', onEvent: () => {} })
}

test('all listeners of a pool share one connection, which is released with the last one', async () => {
  const pool = givenPool()
  const heard: string[] = []
  const first = await pool.listen('a', (payload) => heard.push(`first ${payload}`))
  const second = await pool.listen('a', (payload) => heard.push(`second ${payload}`))
  const third = await pool.listen('Odd "name"', (payload, { channel }) => heard.push(`third ${payload} of ${channel}`))
  expect(pool.counts.active).toBe(1)
  await pool.query(`select pg_notify('a', 'one'), pg_notify('Odd "name"', 'two'), pg_notify('b', 'three')`)
  await expect.poll(() => heard.toSorted()).toEqual(['first one', 'second one', 'third two of Odd "name"'])

  await first.close()
  await first.close()
  await pool.query(`select pg_notify('a', 'four')`)
  await expect.poll(() => heard.slice(3)).toEqual(['second four'])
  await Promise.all([second.close(), third.close()])
  await expect.poll(() => pool.counts.active).toBe(0)
  expect(await server.query(`select 1 from pg_stat_activity where query ilike 'listen%'`)).toEqual([])
  await pool.end()
})

test('a listener counts neither as a leak nor as a checkout, and does not delay the end of the pool', async () => {
  const events: string[] = []
  const pool = new GuardedPool({
    ...{ url: server.url, max: 2 },
    pool: { leakThresholdMillis: 200, drainMillis: 100_000 },
    onEvent: ({ type }) => events.push(type),
  })
  await pool.listen('a', () => {})
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(pool.snapshot().stats).toMatchObject({ acquired: 0, leaks: 0, suspectedLeaks: 0 })
  await pool.end()
  expect(events).not.toContain('leak')
  await expect(pool.listen('b', () => {})).rejects.toMatchObject({ code: 'POOLGUARD_CLOSED' })
})

test('after its connection was lost the pool listens again, to every channel, and tells what was missed', async () => {
  const pool = givenPool()
  pool.on('error', () => {})
  const heard: string[] = []
  const gaps: ListenGap[] = []
  const onReconnect = (gap: ListenGap) => gaps.push(gap)
  await pool.listen('a', (payload) => heard.push(payload), { onReconnect })
  await pool.listen('b', (payload) => heard.push(payload), { onReconnect })
  await server.query(`select pg_terminate_backend(pid) from pg_stat_activity where query ilike 'listen%'`)
  await expect.poll(() => gaps.map(({ channel }) => channel)).toEqual(['a', 'b'])
  for (const { missedMillis } of gaps) expect(missedMillis).toBeGreaterThan(0)
  await pool.query(`select pg_notify('a', 'one'), pg_notify('b', 'two')`)
  await expect.poll(() => heard.toSorted()).toEqual(['one', 'two'])
  await pool.end()
})

test('while the server is gone the pool tries again, and a listener can be closed', async () => {
  await using proxy = await startProxy({ target: server })
  const pool = givenPool(proxy.urlFor(server.url))
  pool.on('error', () => {})
  let reconnects = 0
  const heard: string[] = []
  const kept = await pool.listen('a', (payload) => heard.push(payload), { onReconnect: () => reconnects++ })
  const closed = await pool.listen('b', () => {}, { onReconnect: () => reconnects++ })
  proxy.refuse()
  proxy.reset()
  await expect.poll(() => pool.snapshot().stats.connectFailures.unavailable).toBeGreaterThan(0)
  const closing = closed.close()
  await proxy.heal()
  await closing
  await expect.poll(() => reconnects).toBe(1)
  await pool.query(`notify a, 'back'`)
  await expect.poll(() => heard).toEqual(['back'])
  await kept.close()
  await pool.end()
})

test('an error of a listener does not stop the others', async () => {
  const pool = givenPool()
  const thrown: unknown[] = []
  const onUncaught = (error: unknown) => thrown.push(error)
  const before = process.rawListeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', onUncaught)
  const heard: string[] = []
  await pool.listen('a', () => {
    throw new Error('of a listener')
  })
  await pool.listen('a', (payload) => heard.push(payload))
  await pool.query(`select pg_notify('a', 'one'), pg_notify('a', 'two')`)
  await expect.poll(() => heard).toEqual(['one', 'two'])
  await expect.poll(() => thrown).toHaveLength(2)
  process.removeListener('uncaughtException', onUncaught)
  for (const listener of before) process.on('uncaughtException', listener as NodeJS.UncaughtExceptionListener)
  await pool.end()
})

test.each(['', 'x'.repeat(64), 'ä'.repeat(32), 'a\0b'])('the channel %j is rejected', async (channel) => {
  const pool = givenPool()
  await expect(pool.listen(channel, () => {})).rejects.toThrow(InvalidOptionError)
  await pool.end()
})

const describeTarget = await describeWithPgBouncer('1.26')
describeTarget('behind PgBouncer', () => {
  test('in transaction mode the subscription is rejected: its session is not kept', async () => {
    await using pooler = await startPgBouncer({ version: '1.26', poolMode: 'transaction', upstream: server })
    const pool = givenPool(pooler.url)
    await expect(pool.listen('a', () => {})).rejects.toThrow(SessionStateError)
    expect(pool.counts.active).toBe(0)
    await pool.end()
  })

  test('in session mode it works', async () => {
    await using pooler = await startPgBouncer({ version: '1.26', poolMode: 'session', upstream: server })
    const pool = givenPool(pooler.url)
    const heard: string[] = []
    await pool.listen('a', (payload) => heard.push(payload))
    await pool.query(`notify a, 'one'`)
    await expect.poll(() => heard).toEqual(['one'])
    await pool.end()
  })
})
