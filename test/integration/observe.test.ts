import { type PoolEvent, snapshotPools } from '@poolguard/core'
import { observe } from '@poolguard/pg'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

/** pg-pool's end() does not wait for clients on their way out, which the end of the server may overtake. */
function plainPool(config: pg.PoolConfig): pg.Pool {
  return new pg.Pool(config).on('error', () => {})
}

test('given a plain pg.Pool, then its figures are observed, and it works as before', async () => {
  const pool = plainPool({ connectionString: server.url, max: 2 })
  const plainConnect = pool.connect
  const observation = observe(pool, { name: 'legacy' })
  await Promise.all(Array.from({ length: 10 }, () => pool.query('select pg_sleep(0.01)')))
  const client = await pool.connect()
  const byCallback = await new Promise<number>((resolve) => {
    pool.connect((_error, other, release) => {
      other?.query('select 1').then(() => {
        resolve(observation.snapshot().stats.active)
        release()
      })
    })
  })
  expect(byCallback).toBe(2)
  await expect(pool.query('select nothing')).rejects.toMatchObject({ code: '42703' })

  expect(snapshotPools()).toMatchObject([{ name: 'legacy', stats: { acquired: 13 } }])
  expect(observation.snapshot()).toMatchObject({
    name: 'legacy',
    target: expect.not.stringContaining('app:app'),
    stats: { max: 2, active: 1, waiting: 0, acquired: 13, opened: 2 },
  })
  expect(observation.snapshot().stats.wait.sumMillis).toBeGreaterThan(10)
  expect(observation.health().measures).toMatchObject({
    waiters: { status: 'healthy' },
    connectErrorShare: { status: 'healthy' },
  })
  client.release()

  observation.stop()
  expect(pool.connect).toBe(plainConnect)
  expect(snapshotPools()).toEqual([])
  expect(pool.eventNames()).toEqual(['error'])
  await pool.end()
})

test('given two observers, then each sees all of its time, whichever goes first', async () => {
  for (const goesFirst of [0, 1]) {
    const pool = plainPool({ connectionString: server.url, max: 2 })
    const plainConnect = pool.connect
    const observations = [observe(pool, { name: 'one' }), observe(pool, { name: 'other' })]
    const acquired = () => observations.map((observation) => observation.snapshot().stats.acquired)
    await pool.query('select 1')
    expect(acquired()).toEqual([1, 1])
    observations[goesFirst]?.stop()
    await pool.query('select 1')
    expect(acquired()).toEqual(goesFirst === 0 ? [1, 2] : [2, 1])
    observations[1 - goesFirst]?.stop()
    await pool.query('select 1')
    expect(acquired().toSorted()).toEqual([1, 2])
    if (goesFirst === 1) expect(pool.connect).toBe(plainConnect)
    expect(pool.eventNames()).toEqual(['error'])
    await pool.end()
  }
})

test('given a client that is never released, then it is reported with the stack of its borrower', async () => {
  const pool = plainPool({ connectionString: server.url, max: 3 })
  const events: PoolEvent[] = []
  const observation = observe(pool, {
    // The other client must have its query by then.
    leakThresholdMillis: 1_000,
    captureStacks: 'always',
    onEvent: (event) => events.push(event),
  })
  const busy = await pool.connect()
  const gate = await closeGate(server)
  const working = busy.query(AT_THE_GATE)
  const leaked = await (async function leakyHandler() {
    return await pool.connect()
  })()
  await waitUntil(() => events.length > 0, { what: 'the leak is reported' })
  expect(events).toMatchObject([{ type: 'leak', lease: { stack: expect.stringContaining('leakyHandler') } }])
  leaked.release()
  expect(events.at(-1)).toMatchObject({ type: 'leak-returned' })
  await gate.open()
  await working
  busy.release()
  observation.stop()
  await pool.end()
})

test('given failures, then they are counted by kind', async () => {
  const full = plainPool({ connectionString: server.url, max: 1, connectionTimeoutMillis: 50 })
  // However long the server takes to open it.
  const client = await waitUntil(() => full.connect().catch(() => undefined), { what: 'there is a connection' })
  const observation = observe(full)
  await expect(full.connect()).rejects.toThrow('timeout exceeded')
  client?.release()
  expect(observation.snapshot().stats.timeouts).toBe(1)
  observation.stop()
  await full.end()

  const wrong = plainPool({ connectionString: server.urlFor({ user: 'app', password: 'wrong' }) })
  const watched = observe(wrong)
  for (let i = 0; i < 5; i++) await expect(wrong.query('select 1')).rejects.toMatchObject({ code: '28P01' })
  expect(watched.snapshot().stats.connectFailures.permanent).toBe(5)
  expect(watched.health()).toMatchObject({
    status: 'critical',
    reasons: ['100 % of the attempts to connect fail (critical from 5 %)'],
  })
  watched.stop()
  await wrong.end()
})
