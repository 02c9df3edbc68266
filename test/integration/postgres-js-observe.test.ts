import { type PoolEvent, snapshotPools } from '@poolguard/core'
import { observe } from '@poolguard/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

describe('given a postgres() that is observed', () => {
  test('then queries at the server and waiting queries are counted separately, also in a pipeline', async () => {
    const sql = postgres(server.url, { max: 2, fetch_types: false })
    const observation = observe(sql, { name: 'plain' })
    expect(observation.detail).toBe('full')
    const sleeping = Promise.all([1, 2, 3, 4, 5, 6, 7].map(() => sql`select pg_sleep(0.7)`))
    await expect.poll(() => observation.snapshot().stats).toMatchObject({ max: 2, active: 2, waiting: 5, total: 2 })
    expect(snapshotPools().map(({ name }) => name)).toEqual(['plain'])
    expect(observation.health().reasons).toContain('5 callers wait (warning from 5)')
    await sleeping
    const { stats, target } = observation.snapshot()
    expect(stats).toMatchObject({ active: 0, waiting: 0, acquired: 7, opened: 2 })
    expect(stats.wait.sumMillis).toBeGreaterThan(1_400)
    expect(stats.usage.count).toBe(7)
    expect(target).toContain('/app')
    await sql.end()
    expect(observation.snapshot().stats).toMatchObject({ closed: 2, total: 0 })
    observation.stop()
    expect(snapshotPools()).toEqual([])
  })

  test('then transactions and reserved connections are held from their beginning to their end', async () => {
    const sql = postgres(server.url, { max: 2 })
    const observation = observe(sql)
    await sql`select 1`
    const active = () => observation.snapshot().stats.active
    await sql.begin(async (tx) => {
      expect(active()).toBe(1)
      await tx`select 1`
      await tx.savepoint((point) => point`select 1`)
      expect(active()).toBe(1)
    })
    expect(active()).toBe(0)
    await expect(sql.begin((tx) => tx`select nothing`)).rejects.toMatchObject({ code: '42703' })
    const reserved = await sql.reserve()
    await reserved`select 1`
    expect(active()).toBe(1)
    reserved.release()
    expect(observation.snapshot().stats).toMatchObject({ active: 0, waiting: 0, acquired: 4 })
    observation.stop()
    await sql.end()
  })

  test('then cursors, cancelled and failed queries, and streams end, too', async () => {
    const sql = postgres(server.url, { max: 1, fetch_types: false })
    const observation = observe(sql)
    for await (const _ of sql`select generate_series(1, 5)`.cursor(2));
    for await (const _ of sql`select generate_series(1, 5)`.cursor(2)) break
    await sql`select generate_series(1, 5)`.forEach(() => {})
    await sql`select nothing`.catch(() => {})
    const sleeping = sql`select pg_sleep(60)`.execute()
    await expect.poll(() => observation.snapshot().stats.active).toBe(1)
    // Before the server has begun with it there is nothing to cancel.
    const running = "select from pg_stat_activity where state = 'active' and query like 'select pg_sleep(60)%'"
    await expect.poll(() => server.query(running)).toHaveLength(1)
    sleeping.cancel()
    await sleeping.catch(() => {})
    ;(await sql`copy (select 1) to stdout`.readable()).resume()
    await expect.poll(() => observation.snapshot().stats).toMatchObject({ active: 0, waiting: 0 })
    observation.stop()
    await sql.end()
  })

  test('then a held connection without activity is a leak, and one on which a query runs is not', async () => {
    const leaks: PoolEvent[] = []
    const sql = postgres(server.url, { max: 2 })
    await sql`select 1`
    const observation = observe(sql, {
      ...{ leakThresholdMillis: 200, captureStacks: 'always' },
      onEvent: (event) => event.type === 'leak' && leaks.push(event),
    })
    const busy = sql.begin((tx) => tx`select pg_sleep(1)`)
    const leaked = await (async function leakyHandler() {
      return await sql.reserve()
    })()
    await busy
    expect(leaks).toMatchObject([{ lease: { stack: expect.stringContaining('leakyHandler') } }])
    leaked.release()
    observation.stop()
    await sql.end()
  })

  test('when it is observed already, then that is said, until the first observer stops', async () => {
    const sql = postgres(server.url, { max: 1, fetch_types: false })
    const first = observe(sql, { name: 'orders' })
    expect(() => observe(sql, { name: 'again' })).toThrow("Invalid option sql: 'again'")
    first.stop()
    const second = observe(sql)
    await sql`select 1`
    expect([first, second].map((each) => each.snapshot().stats.acquired)).toEqual([0, 1])
    second.stop()
    await sql.end()
  })

  test('when it is stopped, then the instance is as it was, and others are not touched', async () => {
    const sql = postgres(server.url, { max: 1 })
    const other = postgres(server.url, { max: 1 })
    const prototype = Object.getPrototypeOf(sql.unsafe(''))
    const before = { begin: sql.begin, reserve: sql.reserve, handle: prototype.handle, options: { ...sql.options } }
    const [one, two] = [observe(sql), observe(other)]
    await sql`select 1`
    expect([one, two].map((each) => each.snapshot().stats.acquired)).toEqual([1, 0])
    one.stop()
    await other`select 1`
    expect(two.snapshot().stats.acquired).toBe(1)
    two.stop()
    expect({ begin: sql.begin, reserve: sql.reserve, handle: prototype.handle, options: { ...sql.options } }).toEqual(
      before,
    )
    await Promise.all([sql.end(), other.end()])
  })

  test('when the server cannot be reached, then that is counted', async () => {
    const sql = postgres('postgresql://app@127.0.0.1:1/app', { fetch_types: false })
    const observation = observe(sql)
    await sql`select 1`.catch(() => {})
    expect(observation.snapshot().stats).toMatchObject({ waiting: 0, connectFailures: { unavailable: 1 } })
    observation.stop()
    await sql.end()
  })

  test('when this postgres.js is built otherwise, then queries in flight are counted, and that is said', async () => {
    const sql = postgres(server.url, { max: 1 })
    // A version in which queries hide what they are made of.
    class OpaqueQuery extends Promise<unknown> {}
    const opaque = Object.assign((...args: Parameters<typeof sql>) => sql(...args), sql, {
      unsafe: (text: string) => OpaqueQuery.resolve(text === '' ? [] : sql.unsafe(text)),
    }) as unknown as postgres.Sql
    const observation = observe(opaque)
    expect(observation.detail).toBe('in-flight')
    const query = opaque.unsafe('select pg_sleep(0.1)').then((rows) => rows.length)
    expect(observation.snapshot().stats).toMatchObject({ active: 1, acquired: 1 })
    expect(await query).toBe(1)
    await expect.poll(() => observation.snapshot().stats.active).toBe(0)
    observation.stop()
    await sql.end()
  })
})
