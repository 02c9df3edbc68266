import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { BUSY_QUERY, eventually, keepBusy } from '../fleet/keep-busy.ts'
import { publishedTargets } from '../fleet/published-targets.ts'
import { StartedInstance } from '../fleet/started-instance.ts'
import { type PostgresServer, startPostgres, startProxy } from '../harness/index.ts'

const INTERVAL = 400
const fleet = { app: 'orders', intervalMillis: INTERVAL }
/** 37 usable, 4 headroom, one connection that looks. */
const BUDGET = 32

let server: PostgresServer
let admin: pg.Client
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 40 })
  admin = new pg.Client(server.adminUrl)
  await admin.connect()
})
afterAll(async () => {
  await admin.end()
  await server.stop()
})

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
  await eventually(() => server.connectionCount()).toBe(1)
})

function makePool(config: GuardedPoolConfig = {}): { pool: GuardedPool; events: PoolEvent[] } {
  const events: PoolEvent[] = []
  const onEvent = (event: PoolEvent) => events.push(event)
  const pool = new GuardedPool({ url: server.url, fleet, name: `pool ${open.length}`, onEvent, ...config })
  open.push({ [Symbol.asyncDispose]: () => pool.end() })
  return { pool, events }
}

function warningsOf(events: readonly PoolEvent[]): string[] {
  return events.flatMap((event) => (event.type === 'warning' ? [event.message] : []))
}

test('given connections that die in the middle of a look, then the next one is tried, and everybody is served', async () => {
  const proxy = await startProxy({ target: server })
  open.push(proxy)
  proxy.setLatency(30)
  const { pool } = makePool({ url: proxy.urlFor(server.url) })
  const load = keepBusy(pool, 20)
  await eventually(() => pool.counts.total).toBe(20)
  let killed = 0
  await eventually(async () => {
    const { rowCount } = await admin.query(
      `select pg_terminate_backend(pid) from pg_stat_activity where usename = 'app' and state = 'idle in transaction'`,
    )
    killed += rowCount ?? 0
    return killed
  }).toBeGreaterThan(4)
  // One connection may have been opened only for an exchange, and stays open as long as no instance needs it.
  await eventually(() => pool.counts.total).toBeGreaterThanOrEqual(20)
  await load.stop()
  expect(load.failures).toEqual([])
})

test('given an event loop that is blocked for intervals, then no instance takes its connections, and the limit holds when it continues', async () => {
  const options = { url: server.url, kind: 'guarded', options: { fleet } } as const
  const [blocked, other] = [await StartedInstance.start(options), await StartedInstance.start(options)]
  open.push(blocked, other)
  await blocked.load(40, BUSY_QUERY)
  await eventually(async () => (await blocked.report()).total).toBe(BUDGET)
  await other.load(10, BUSY_QUERY)
  await eventually(async () => (await other.report()).total).toBe(10)
  await blocked.block(5 * INTERVAL)
  await other.load(40)
  let [mostOpen, mostGiven] = [0, 0]
  const targets = async () => {
    mostOpen = Math.max(mostOpen, await server.connectionCount())
    const given = [...(await publishedTargets(admin)).values()].map((target) => target ?? 1)
    mostGiven = Math.max(mostGiven, (given[0] as number) + (given[1] as number))
    return given
  }
  await eventually(targets).toEqual([BUDGET / 2, BUDGET / 2])
  expect(mostGiven).toBe(BUDGET)
  expect(mostOpen, 'and the one that looks').toBeLessThanOrEqual(BUDGET + 1)
  const reports = await Promise.all([blocked, other].map((each) => each.report()))
  expect(reports.map(({ errors }) => errors)).toEqual([{}, {}])
})

test('given more instances than connections, then who is in is served, it is said, and the others do not storm', async () => {
  await using small = await startPostgres({ maxConnections: 13 })
  const pools = Array.from({ length: 50 }, (_, i) =>
    makePool({ url: small.url, name: `pool ${i}`, pool: { acquireTimeoutMillis: 3_000 } }),
  )
  const outcomes = await Promise.allSettled(pools.map(({ pool }) => pool.query('select 1')))
  const failures = outcomes.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  expect(failures).toHaveLength(40)
  expect(failures.map(({ code }) => code)).toEqual(Array(40).fill('POOLGUARD_ACQUIRE_TIMEOUT'))
  expect(failures[0].message).toMatch(
    /The server has no connection left .*run fewer instances, or put PgBouncer in front/,
  )
  const within = pools.filter(({ pool }) => pool.counts.total > 0 && pool.counts.idle > 0)
  expect(within.map(({ pool }) => pool.counts.max)).toEqual(Array(10).fill(1))
  await eventually(() => pools.filter(({ events }) => warningsOf(events).length > 0).length).toBeGreaterThan(0)
  expect(new Set(pools.flatMap(({ events }) => warningsOf(events)))).toEqual(
    new Set([
      'fleet "orders" has more instances than there are connections to share. Run fewer instances, or put a PgBouncer that admits more clients in front of the server.',
    ]),
  )
  const refusals = pools.map(({ events }) => events.filter(({ type }) => type === 'connect-failed').length)
  expect(Math.max(...refusals), 'with pauses that grow').toBeLessThan(30)
  await Promise.all(open.splice(0).map((each) => each[Symbol.asyncDispose]()))
})

test("given resetOnRelease: 'off' and a transaction that a caller left open, then no exchange ends it, and a warning says so", async () => {
  await server.query('create table left_open (n int); grant all on left_open to app')
  const { pool, events } = makePool({ resetOnRelease: 'off' })
  await pool.ready()
  const client = await pool.connect()
  await client.query('begin')
  await client.query('insert into left_open values (1)')
  client.release()
  const load = keepBusy(pool, 5)
  await eventually(() => warningsOf(events)).toEqual([
    expect.stringContaining('a caller released a connection with an open transaction'),
  ])
  await load.stop()
  expect(await server.query('select * from left_open')).toEqual([])
})

test.each([
  "statement_timeout = '60ms'",
  "lock_timeout = '5ms'",
  "idle_in_transaction_session_timeout = '5ms'",
  "transaction_timeout = '100ms'",
  "idle_session_timeout = '300ms'",
  "application_name = 'mine'",
  "default_transaction_isolation = 'serializable'",
  "search_path = 'nowhere'",
])('given a role with %s, then its instances share as others do', async (setting) => {
  await server.query(`alter role app set ${setting}`)
  try {
    const pools = [makePool(), makePool(), makePool()].map(({ pool }) => pool)
    const loads = pools.map((pool) => keepBusy(pool, 40, 'select pg_sleep(0.005)'))
    await eventually(() => pools.map((pool) => pool.counts.total).toSorted()).toEqual([10, 11, 11])
    await Promise.all(loads.map((load) => load.stop()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  } finally {
    await server.query('alter role app reset all')
  }
})
