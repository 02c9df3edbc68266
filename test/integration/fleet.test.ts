import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { InvalidOptionError, type PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BUSY_QUERY, eventually, keepBusy, PATIENT } from '../fleet/keep-busy.ts'
import { publishedTargets } from '../fleet/published-targets.ts'
import { StartedInstance } from '../fleet/started-instance.ts'
import { hasSignals, type PostgresServer, postgresVersions, startPostgres } from '../harness/index.ts'

/** 37 usable, 4 headroom. */
const BUDGET = 33
const INTERVAL = 400
const fleet = { app: 'orders', intervalMillis: INTERVAL }

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
  await Promise.all(open.splice(0).map((each) => each[Symbol.asyncDispose]()))
  // The connection that looks is not the app's.
  await eventually(() => server.connectionCount()).toBe(1)
})

function makePool(config: GuardedPoolConfig = {}): GuardedPool {
  const pool = new GuardedPool({ url: server.url, fleet, name: `pool ${open.length}`, ...config })
  open.push({ [Symbol.asyncDispose]: () => (pool.ended ? Promise.resolve() : pool.end()) })
  return pool
}

async function startInstance(
  options: Record<string, unknown> = { fleet, pool: PATIENT },
  url = server.url,
): Promise<StartedInstance> {
  const instance = await StartedInstance.start({ url, kind: 'guarded', options })
  open.push(instance)
  return instance
}

function sum(values: Iterable<number | null>): number {
  return [...values].reduce<number>((total, value) => total + (value ?? 1), 0)
}

describe('a fleet', () => {
  test('given one instance, then it has what the database can give as soon as it is ready, and says why', async () => {
    const pool = makePool()
    const snapshot = await pool.ready()
    expect(pool.settings.values.max).toBe(1)
    expect(snapshot.fleet).toMatchObject({ maxConnections: 1, instances: 1, sharedConnections: BUDGET - 1 })
    const load = keepBusy(pool, 50)
    await eventually(() => pool.counts.total).toBe(BUDGET - 1)
    expect(pool.settings.reasons.max).toMatch(
      /^share of fleet "orders": max_connections leaves 37 usable - 4 headroom - 1 used by others = 32 to share; 1 instance wants \d+: 32 for this one$/,
    )
    await load.stop()
    expect(load.failures).toEqual([])
  })

  test('given a caller that keeps the first connection, then the pool still joins the fleet', async () => {
    const pool = makePool()
    const first = await pool.connect()
    const second = await pool.connect()
    expect(pool.counts.active).toBe(2)
    first.release()
    second.release()
  })

  test.each([0, 1])("given maxWaiters %i, then looking and joining take no caller's place", async (maxWaiters) => {
    const saturated: PoolEvent[] = []
    const onEvent = (event: PoolEvent) => event.type === 'saturated' && saturated.push(event)
    const pool = makePool({ pool: { maxWaiters }, onEvent })
    expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await pool.ready()
    expect(pool.snapshot().fleet).toMatchObject({ instances: 1 })
    expect(saturated).toEqual([])
  })

  test('given all it may have is held for long, when one more is needed, then the look for it waits for none of them', async () => {
    const pool = makePool()
    await pool.ready()
    const held = []
    for (let i = 0; i < 12; i++) held.push(await pool.connect())
    expect(pool.counts.active).toBe(12)
    for (const client of held) client.release()
  })

  test('given a look that waits for a connection, when one more is needed, then it waits no longer for one to be released', async () => {
    const timeouts: PoolEvent[] = []
    const onEvent = (event: PoolEvent) => event.type === 'timeout' && timeouts.push(event)
    const pool = makePool({ pool: { acquireTimeoutMillis: 5_000 }, onEvent })
    await pool.ready()
    const held = await Promise.all(Array.from({ length: 3 }, () => pool.connect()))
    const { max } = pool.counts
    while (held.length < max) held.push(await pool.connect())
    // Every look in between finds them all lent.
    await held[0]?.query('select pg_sleep($1)', [(3 * INTERVAL) / 1_000])
    held.push(await pool.connect())
    expect(timeouts).toEqual([])
    for (const client of held) client.release()
  })

  test('given 14 processes that join at once under load, then they are never given more than the budget, and share it', async () => {
    const instances = await Promise.all(Array.from({ length: 14 }, () => startInstance()))
    await Promise.all(instances.map((instance) => instance.load(20, BUSY_QUERY)))
    let mostOpen = 0
    let mostGiven = 0
    const shared = async () => {
      mostOpen = Math.max(mostOpen, await server.connectionCount())
      const published = [...(await publishedTargets(admin)).values()]
      // A newcomer's first connection comes out of the headroom, until the others have made room.
      mostGiven = Math.max(mostGiven, sum(published.filter((target) => (target ?? 1) > 1)))
      return published.toSorted().join()
    }
    // One is the connection that looks.
    await eventually(shared).toBe([...Array(10).fill(2), ...Array(4).fill(3)].join())
    await eventually(() => server.connectionCount()).toBe(BUDGET)
    expect(mostGiven).toBeLessThanOrEqual(BUDGET - 1)
    expect(mostOpen).toBeLessThanOrEqual(37)
    const reports = await Promise.all(instances.map((instance) => instance.report()))
    expect(reports.flatMap(({ errors }) => Object.keys(errors))).toEqual([])
  })

  test('given processes are killed, then the others have their part', async () => {
    const instances = await Promise.all(Array.from({ length: 4 }, () => startInstance()))
    await Promise.all(instances.map((instance) => instance.load(40, BUSY_QUERY)))
    const shares = async () => [...(await publishedTargets(admin)).values()].toSorted()
    await eventually(shares).toEqual([8, 8, 8, 8])
    instances[0]?.signal('SIGKILL')
    instances[1]?.signal('SIGKILL')
    await eventually(shares).toEqual([16, 16])
  })

  test('given connections are borrowed, when they are wanted back, then no running query is interrupted', async () => {
    const [borrower, owner] = [makePool(), makePool()]
    await Promise.all([borrower.ready(), owner.ready()])
    const warm = keepBusy(borrower, 40)
    await eventually(() => borrower.counts.total).toBeGreaterThan(30)
    await warm.stop()
    // They run until the lock is theirs.
    await admin.query('select pg_advisory_lock(1)')
    const slow = Array.from({ length: 30 }, () => borrower.query('select pg_advisory_xact_lock_shared(1), 1 as done'))
    await eventually(() => borrower.counts.active).toBeGreaterThanOrEqual(30)
    const load = keepBusy(owner, 40)
    await eventually(() => borrower.counts.max).toBe(16)
    expect(borrower.counts.active).toBeGreaterThanOrEqual(30)
    await admin.query('select pg_advisory_unlock(1)')
    const answers = await Promise.all(slow)
    expect(answers.map(({ rows }) => rows[0].done)).toEqual(Array(30).fill(1))
    await eventually(() => owner.counts.total).toBeGreaterThanOrEqual(16)
    await load.stop()
    expect(load.failures).toEqual([])
  })

  test('given two fleets of two roles that trust each other in one database, and a client of no fleet, then they share as one, and ignore it', async () => {
    await server.query(`create role bills login password 'bills'`)
    const psql = new pg.Client(server.urlFor())
    await psql.connect()
    const [orders, bills] = [
      makePool({ fleet: { ...fleet, trustedRoles: ['bills'] } }),
      makePool({
        fleet: { ...fleet, app: 'bills', trustedRoles: ['app'] },
        url: server.urlFor({ user: 'bills', password: 'bills' }),
      }),
    ]
    const loads = [keepBusy(orders, 40), keepBusy(bills, 40)]
    await eventually(() => [orders.counts.total, bills.counts.total].toSorted()).toEqual([15, 16])
    expect((await psql.query('select 1 as one')).rows).toEqual([{ one: 1 }])
    await Promise.all(loads.map((load) => load.stop()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
    await psql.end()
  })

  test('given each instance has a short-lived role, which changes, then they share one budget all the time', async () => {
    await server.query('create role orders_app nologin')
    await server.query('grant app to orders_app')
    let roles = 0
    const createRole = async () => {
      const user = `v-orders-${++roles}`
      await server.query(`create role "${user}" login password 'short-lived' in role orders_app`)
      return { user, password: 'short-lived' }
    }
    const ignored: string[] = []
    const start = async () => {
      let current = await createRole()
      const pool = makePool({
        url: server.url.replace(/\/\/[^@]+@/, '//'),
        fleet: { ...fleet, trustedRoles: ['orders_app'] },
        credentials: () => current,
        pool: { maxUses: 200 },
        onEvent: (event) => {
          if (event.type === 'warning' && event.message.includes('only as in use')) ignored.push(event.message)
        },
      })
      const rotate = async () => {
        current = await createRole()
      }
      return { pool, rotate }
    }
    const instances = [await start(), await start()]
    const loads = instances.map(({ pool }) => keepBusy(pool, 40))
    const totals = () => instances.map(({ pool }) => pool.counts.total).toSorted()
    await eventually(totals).toEqual([16, 16])

    for (const { rotate } of instances) await rotate()
    const usersNow = async () =>
      (
        await admin.query(
          `select distinct usename from pg_stat_activity where application_name like 'orders#%' order by 1`,
        )
      ).rows.map(({ usename }) => usename)
    await eventually(usersNow).toEqual(['v-orders-3', 'v-orders-4'])
    await eventually(totals).toEqual([16, 16])
    await Promise.all(loads.map((load) => load.stop()))

    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
    expect(ignored).toEqual([])
  })

  test('given instances in two databases of one server, then they share what the server can give', async () => {
    await server.query('create database other owner app')
    const [here, there] = [makePool(), makePool({ url: server.urlFor({ database: 'other' }) })]
    const loads = [keepBusy(here, 40), keepBusy(there, 40)]
    await eventually(() => [here.counts.total, there.counts.total]).toEqual([16, 16])
    await Promise.all(loads.map((load) => load.stop()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  })

  test('given a limit of the role, then that is what is shared', async () => {
    await server.query('alter role app connection limit 10')
    try {
      const [a, b] = [makePool(), makePool()]
      const loads = [keepBusy(a, 20), keepBusy(b, 20)]
      await eventually(() => [a.counts.total, b.counts.total].toSorted()).toEqual([3, 4])
      expect(a.settings.reasons.max).toContain("the role's CONNECTION LIMIT is 10 usable - 3 headroom")
      await Promise.all(loads.map((load) => load.stop()))
      expect(loads.flatMap(({ failures }) => failures)).toEqual([])
    } finally {
      await server.query('alter role app connection limit -1')
    }
  })

  test('given connections that are only named like an instance, then they are left alone', async () => {
    const workers = Array.from(
      { length: 20 },
      () => new pg.Client({ connectionString: server.url, application_name: 'celery#worker' }),
    )
    await Promise.all(workers.map((worker) => worker.connect()))
    const pool = makePool()
    const load = keepBusy(pool, 40)
    await eventually(() => pool.counts.total).toBe(BUDGET - 21)
    expect(pool.settings.reasons.max).toMatch(/: 12 for this one$/)
    await load.stop()
    await Promise.all(workers.map((worker) => worker.end()))
  })

  test('given parallel workers, which carry the name of their leader, then they are no connections', async () => {
    await server.query('create table if not exists numbers as select generate_series(1, 300000) n')
    await server.query('grant select on numbers to app; alter table numbers set (parallel_workers = 4)')
    const parallel =
      'set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0; set local min_parallel_table_scan_size = 0;'
    const pool = makePool()
    const other = makePool()
    await Promise.all([pool.ready(), other.ready()])
    const client = await pool.connect()
    const working = client.query(
      `begin; ${parallel} select count(*) from numbers a where pg_sleep(0.00001) is not null; commit`,
    )
    await eventually(
      async () => (await admin.query(`select 1 from pg_stat_activity where backend_type = 'parallel worker'`)).rowCount,
    ).toBeGreaterThan(0)
    const load = keepBusy(other, 40)
    await eventually(() => other.counts.max).toBe(BUDGET - 2)
    await load.stop()
    // Which cancels it.
    client.release(true)
    await working.catch(() => {})
  })

  test('given the server is full of others, then the refusal is a reason to look, and the instance gives up what is not there', async () => {
    const events: PoolEvent[] = []
    const pool = makePool({ fleet: { ...fleet, intervalMillis: 600_000 }, onEvent: (event) => events.push(event) })
    await pool.ready()
    const many = await Promise.all(Array.from({ length: 10 }, () => pool.connect()))
    const { max } = pool.counts
    expect(max).toBeGreaterThanOrEqual(10)
    const kept: pg.PoolClient[] = []
    for (const client of many) {
      const { rows } = await client.query('show application_name')
      if (rows[0].application_name.includes(':')) kept.push(client)
      else client.release(true)
    }
    await eventually(() => pool.counts.total).toBe(kept.length)
    expect(pool.counts.max, 'what is published stands').toBe(max)
    const others = Array.from({ length: 36 - kept.length }, () => new pg.Client(server.url))
    await Promise.all(others.map((client) => client.connect()))
    for (const client of kept) client.release()
    const refused = Promise.all(Array.from({ length: 10 }, () => pool.query('select pg_sleep(0.1)')))
    await eventually(() => pool.counts.max).toBeLessThanOrEqual(kept.length)
    expect(events.map(({ type }) => type)).toContain('connect-failed')
    await refused
    await Promise.all(others.map((client) => client.end()))
  })

  test('given no callers, then a pool sends nothing once it has no more than its floor', async () => {
    const pool = makePool({ pool: { idleTimeoutMillis: 2 * INTERVAL, min: 1 } })
    await Promise.all(Array.from({ length: 8 }, () => pool.query('select pg_sleep(0.05)')))
    const silentMillis = async () => {
      const { rows } = await admin.query(`
        select extract(epoch from clock_timestamp() - max(query_start))::float * 1000 as millis
          from pg_stat_activity where application_name like 'orders#%'`)
      return rows[0].millis
    }
    await eventually(silentMillis).toBeGreaterThan(4 * INTERVAL)
    expect(pool.counts.total).toBe(1)
  })

  test.skipIf(!hasSignals)('given a frozen process, be it with the lock, then the others go on', async () => {
    const frozen = await startInstance()
    await frozen.load(40, BUSY_QUERY)
    await eventually(async () => (await frozen.report()).max).toBe(BUDGET - 1)
    frozen.signal('SIGSTOP')
    const pool = makePool()
    await pool.ready()
    expect(pool.snapshot().fleet).toMatchObject({ instances: 2 })
    await pool.query('select 1')
    frozen.signal('SIGCONT')
    const load = keepBusy(pool, 40)
    await eventually(() => pool.counts.total).toBe(16)
    await load.stop()
  })

  test('given a backend that holds the lock for good, then no instance hangs: each keeps its share', async () => {
    const pool = makePool()
    await pool.ready()
    const holder = new pg.Client(server.url)
    await holder.connect()
    await holder.query('begin')
    const { rows } = await holder.query('select $1::int as one, $2::int as two', [0x706f6f6c, 0x666c6565])
    await holder.query('select pg_advisory_xact_lock($1, $2)', [rows[0].one, rows[0].two])
    const answers = Promise.all(Array.from({ length: 5 }, () => pool.query('select 1 as one')))
    expect((await answers).map((answer) => answer.rows[0].one)).toEqual([1, 1, 1, 1, 1])
    expect(pool.counts.max).toBe(1)
    await holder.end()
    const load = keepBusy(pool, 5)
    await eventually(() => pool.counts.max).toBe(5)
    await load.stop()
  })

  test('given the connection that carries the publication is terminated, then another one carries it', async () => {
    const pool = makePool()
    const load = keepBusy(pool, 6)
    await eventually(() => pool.counts.total).toBe(6)
    const published = async () =>
      (await admin.query(`select pid from pg_stat_activity where application_name like '%:t=%'`)).rows.map(
        ({ pid }) => pid,
      )
    await eventually(async () => (await published()).length).toBeGreaterThan(0)
    const before = await published()
    await admin.query('select pg_terminate_backend(pid) from unnest($1::int[]) pid', [before])
    await eventually(async () => (await published()).filter((pid) => !before.includes(pid)).length).toBeGreaterThan(0)
    await eventually(() => pool.counts.total).toBeGreaterThanOrEqual(6)
    await load.stop()
  })

  test('given it is closed under load, then it goes without a word, and its place is free', async () => {
    const [leaving, staying] = [makePool(), makePool()]
    const loads = [keepBusy(leaving, 30), keepBusy(staying, 40)]
    await eventually(() => [leaving.counts.total, staying.counts.total]).toEqual([16, 16])
    await Promise.all([loads[0]?.stop(), leaving.end()])
    await eventually(() => staying.counts.total).toBe(BUDGET - 1)
    await loads[1]?.stop()
  })

  test('given closeIdle, then all goes, and the next caller joins again', async () => {
    const pool = makePool()
    await Promise.all(Array.from({ length: 5 }, () => pool.query('select pg_sleep(0.02)')))
    // The pool may still be opening connections that its share allows, for callers that others have served.
    await expect.poll(() => pool.counts.total - pool.counts.idle).toBe(0)
    await pool.closeIdle()
    expect(pool.counts).toMatchObject({ total: 0, max: 1 })
    await Promise.all(Array.from({ length: 5 }, () => pool.query('select pg_sleep(0.02)')))
    expect(pool.snapshot().fleet).toMatchObject({ instances: 1 })
  })

  test('given bounds of its own, then they hold, and resize changes them', async () => {
    const pool = makePool({ pool: { min: 2, max: 4 } })
    await pool.ready()
    await eventually(() => pool.counts.total).toBe(2)
    const load = keepBusy(pool, 10)
    await eventually(() => pool.counts.total).toBe(4)
    pool.resize({ max: 7 })
    await eventually(() => pool.counts.total).toBe(7)
    pool.resize({ max: 3 })
    expect(pool.counts.max).toBe(3)
    await load.stop()
  })

  test('given postgres.js, then it shares with the others', async () => {
    const sql = guardPostgres(server.url, { fleet, name: 'postgres.js' })
    open.push({ [Symbol.asyncDispose]: () => sql.end() })
    const pool = makePool()
    const loads = [keepBusy(pool, 40), keepBusy({ query: (text) => sql.unsafe(text) }, 40)]
    await eventually(() => [pool.counts.total, sql.counts.total]).toEqual([16, 16])
    await Promise.all(loads.map((load) => load.stop()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  })
})

test('given a standby, then its fleet shares what the standby has', async () => {
  await using standby = await startPostgres({
    maxConnections: 20,
    settings: { wal_level: 'replica', max_wal_senders: 1 },
  })
  await becomeStandby(standby)
  expect(await standby.query('select pg_is_in_recovery() as standby')).toEqual([{ standby: true }])
  const pools = ['a', 'b'].map((name) => new GuardedPool({ url: standby.url, fleet, name }))
  const loads = pools.map((pool) => keepBusy(pool, 20))
  await eventually(() => pools.map((pool) => pool.counts.total)).toEqual([7, 7])
  await Promise.all(loads.map((load) => load.stop()))
  await Promise.all(pools.map((pool) => pool.end()))
  expect(loads.flatMap(({ failures }) => failures)).toEqual([])
})

/** A standby without a primary, which stays in recovery. */
async function becomeStandby(standby: PostgresServer): Promise<void> {
  const [folder] = await standby.query<{ data_directory: string }>('show data_directory')
  await standby.query(`copy (select) to '${folder?.data_directory}/standby.signal'`)
  await standby.restart()
}

test.each([
  ['ä'.repeat(40)],
  ['日本'.repeat(20)],
  ['a#b:t=9'],
  ['orders#abcdef:t=5,d=5'],
  ['orders#ABCDEF'],
  [`o'; select "x" \\`],
])('given a client that calls itself %s, then it does not count as an instance', async (application_name) => {
  const client = new pg.Client({ connectionString: server.url, application_name })
  await client.connect()
  const pool = makePool()
  const load = keepBusy(pool, 40)
  await eventually(() => pool.counts.total).toBe(BUDGET - 2)
  expect(pool.settings.reasons.max).toContain('2 used by others')
  await load.stop()
  await client.end()
})

test('given allowExitOnIdle, then the fleet keeps no process alive', async () => {
  const options = { url: server.url, fleet: { app: 'orders' }, allowExitOnIdle: true }
  const program = `
    import { GuardedPool } from '@poolguard/pg'
    const pool = new GuardedPool(${JSON.stringify(options)})
    do await Promise.all(Array.from({ length: 5 }, () => pool.query('select pg_sleep(0.02)')))
    while (pool.counts.idle < 2)
    console.log('done')`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
    cwd: import.meta.dirname,
  })
  expect(stdout).toBe('done\n')
})

for (const version of postgresVersions.filter((each) => each !== 18)) {
  test(`given PostgreSQL ${version}, then two instances share it`, async () => {
    await using old = await startPostgres({ version, maxConnections: 20 })
    const pools = ['a', 'b'].map((name) => new GuardedPool({ url: old.url, fleet, name }))
    const loads = pools.map((pool) => keepBusy(pool, 20))
    await eventually(() => pools.map((pool) => pool.counts.total)).toEqual([7, 7])
    await Promise.all(loads.map((load) => load.stop()))
    await Promise.all(pools.map((pool) => pool.end()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  })
}

describe('invalid options', () => {
  test.each<[config: GuardedPoolConfig, message: string]>([
    [{ fleet, instances: 3 }, 'Invalid option instances: 3. It takes no value when fleet is set'],
    [{ fleet: { app: 'über' } }, "Invalid option fleet.app: 'über'. It takes 1 to 27 letters"],
    [{ fleet: {} as never }, 'Invalid option fleet.app: undefined'],
    [{ fleet: { app: 'a', intervalMillis: 1 } }, 'Invalid option fleet.intervalMillis: 1. It takes a number of'],
    [{ fleet: { app: 'a', intervalMillis: Infinity } }, 'Invalid option fleet.intervalMillis: Infinity'],
    [
      { fleet, resetOnRelease: 'discard' },
      "Invalid option resetOnRelease: 'discard'. It takes 'rollback' or 'off' with fleet",
    ],
  ])('%o', (config, message) => {
    expect(() => new GuardedPool({ url: server.url, ...config })).toThrow(InvalidOptionError)
    expect(() => new GuardedPool({ url: server.url, ...config })).toThrow(message)
  })
})
