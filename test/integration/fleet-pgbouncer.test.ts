import { execFile } from 'node:child_process'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { BUSY_QUERY, eventually, keepBusy, PATIENT } from '../fleet/keep-busy.ts'
import { StartedInstance } from '../fleet/started-instance.ts'
import {
  describeWithPgBouncer,
  type PgBouncerOptions,
  type PgBouncerServer,
  type PostgresServer,
  pgBouncerVersions,
  startPgBouncer,
  startPostgres,
  startProxy,
  waitUntil,
} from '../harness/index.ts'

const INTERVAL = 400
const fleet = { app: 'orders', intervalMillis: INTERVAL }
/** 40 clients less 4 headroom, and one of each instance to the console; 20 servers, so that no instance can have more. */
const LIMITS = { max_client_conn: 40, default_pool_size: 20 }
const BUDGET = 36

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 60 })
})
afterAll(() => server.stop())

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse()) await each[Symbol.asyncDispose]()
})

async function startPooler(
  version: PgBouncerOptions['version'] & {},
  options: Omit<PgBouncerOptions, 'version' | 'upstream'> = {},
): Promise<PgBouncerServer> {
  const settings = { ...LIMITS, ...options.settings }
  const pooler = await startPgBouncer({ version, upstream: server, ...options, settings })
  open.push(pooler)
  return pooler
}

interface MadePool {
  readonly pool: GuardedPool
  readonly warnings: string[]
  readonly events: PoolEvent[]
}

function makePool(config: GuardedPoolConfig): MadePool {
  const [warnings, events]: [string[], PoolEvent[]] = [[], []]
  const onEvent = (event: PoolEvent) => {
    events.push(event)
    if (event.type === 'warning') warnings.push(event.message)
  }
  const pool = new GuardedPool({ fleet, name: `pool ${open.length}`, pool: PATIENT, onEvent, ...config })
  open.push({ [Symbol.asyncDispose]: () => pool.end() })
  return { pool, warnings, events }
}

/** The console, by a connection that stays: each takes a client's place. */
async function watch(pooler: PgBouncerServer): Promise<pg.Client> {
  const console = new pg.Client(pooler.adminUrl)
  await console.connect()
  open.push({ [Symbol.asyncDispose]: () => console.end() })
  return console
}

interface Look {
  /** What the members may have, as PgBouncer knows it. */
  readonly targets: number[]
  /** The connections that it has admitted. */
  readonly clients: number
  /** Those of them that no newcomer has opened out of the headroom: a newcomer has one, and its console. */
  readonly shared: number
}

async function lookAt(console: pg.Client): Promise<Look> {
  const { rows: clients } = await console.query<{ database: string; application_name: string }>('SHOW CLIENTS')
  const published = new Map<string, { target: number; sequence: number }>()
  /** The names of the members' connections: each name is one member. */
  const pooled = clients.filter(({ database }) => database !== 'pgbouncer').map((client) => client.application_name)
  for (const { application_name } of clients) {
    const [, member = '', target, sequence = ''] = /^(\w+#\w+):t=(\d+),.*n=(\w+)/.exec(application_name) ?? []
    const told = { target: Number(target), sequence: Number.parseInt(sequence, 36) }
    if (target !== undefined && !((published.get(member)?.sequence ?? -1) > told.sequence)) published.set(member, told)
  }
  const targets = [...published.values()].map(({ target }) => target).toSorted((a, b) => a - b)
  const haveShares = targets.filter((target) => target > 1).length
  const beyondFirst = pooled.length - new Set(pooled).size
  return { targets, clients: clients.length, shared: beyondFirst + 2 * haveShares }
}

for (const version of pgBouncerVersions) {
  const describePgBouncer = await describeWithPgBouncer(version)
  describePgBouncer(`behind PgBouncer ${version} in transaction mode`, () => {
    test('given four processes, of which one is killed, then they share what it admits, and no caller is rejected', async () => {
      const pooler = await startPooler(version)
      const start = async () => {
        const options = { fleet: { ...fleet, consoleUrl: pooler.statsUrl }, pool: PATIENT }
        const instance = await StartedInstance.start({ url: pooler.url, kind: 'guarded', options })
        open.push(instance)
        await instance.load(30, BUSY_QUERY)
        return instance
      }
      const instances = [await start(), await start(), await start(), await start()]
      const console = await watch(pooler)
      let most = 0
      const targets = async () => {
        const seen = await lookAt(console)
        most = Math.max(most, seen.clients)
        return seen.targets
      }
      await eventually(targets).toEqual([7, 8, 8, 8])
      await eventually(async () => (await lookAt(console)).clients).toBe(BUDGET)
      instances[0]?.signal('SIGKILL')
      await eventually(targets).toEqual([10, 11, 11])
      const read = () => Promise.all(instances.slice(1).map((instance) => instance.report()))
      await eventually(async () => (await read()).map(({ max }) => max).toSorted()).toEqual([10, 11, 11])
      const reports = await read()
      expect(reports.map(({ errors }) => errors)).toEqual([{}, {}, {}])
      expect(reports[0]?.reason).toMatch(
        /^share of fleet "orders": max_client_conn leaves 40 usable - 4 headroom - 4 used by others = 32 to share; 3 instances want \d+: 1[01] for this one$/,
      )
      expect(most).toBeLessThanOrEqual(LIMITS.max_client_conn)
      expect(pooler.log()).not.toContain('no more connections allowed')
    })

    test('given instances with and without a share, then no server connection ever carries the name of an instance', async () => {
      const pooler = await startPooler(version, { settings: { default_pool_size: 1 } })
      const shared = { fleet: { ...fleet, consoleUrl: pooler.statsUrl } }
      const pools = [shared, shared, {}, {}].map((more) => makePool({ url: pooler.url, ...more }).pool)
      await Promise.all(pools.map((pool) => pool.ready()))
      const names = new Set<unknown>()
      for (let i = 0; i < 5; i++) {
        for (const pool of pools) {
          const { rows } = await pool.query(`select current_setting('application_name') as name`)
          names.add(rows[0].name)
        }
      }
      expect([...names]).toEqual([expect.stringMatching(/^orders#instanceofafleetbehindapgbouncer$/i)])
    })
  })
}

const describePgBouncer = await describeWithPgBouncer('1.24')
describePgBouncer('behind PgBouncer', () => {
  /** The app's own user may look. */
  const readable = { settings: { stats_users: 'app' } }

  test('given the user of the pool may look, then nothing has to be said, and no instance has more than can be served at once', async () => {
    const pooler = await startPooler('1.24', readable)
    const { pool, warnings } = makePool({ url: pooler.url, sessionState: 'throw' })
    const load = keepBusy(pool, 40)
    await eventually(() => pool.counts.total).toBe(20)
    const whole = /: 20 for this one; the pooler serves no more than 20 of these at the same time$/
    await eventually(() => pool.settings.reasons.max).toMatch(whole)
    await load.stop()
    expect([load.failures, warnings]).toEqual([[], []])
  })

  test('given postgres.js, and clients of no fleet, then it shares with the other instances, and ignores those clients', async () => {
    const pooler = await startPooler('1.24', readable)
    const stranger = new pg.Client(pooler.url)
    open.push({ [Symbol.asyncDispose]: () => stranger.end() })
    await stranger.connect()
    const { pool } = makePool({ url: pooler.url })
    const sql = guardPostgres(pooler.url, { fleet, name: 'postgres.js' })
    const named = guardPostgres(pooler.url, { fleet: { ...fleet, consoleUrl: pooler.adminUrl }, name: 'named' })
    for (const each of [sql, named]) open.push({ [Symbol.asyncDispose]: () => each.end() })
    const loads = [pool, ...[sql, named].map((each) => ({ query: (text: string) => each.unsafe(text) }))].map((each) =>
      keepBusy(each, 40),
    )
    await eventually(() => [pool, sql, named].map((each) => each.counts.total).toSorted()).toEqual([10, 11, 11])
    await Promise.all(loads.map((load) => load.stop()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  })

  test('given it adds the host to names, then instances are still recognized', async () => {
    const pooler = await startPooler('1.24', { settings: { stats_users: 'app', application_name_add_host: 1 } })
    const pools = [makePool({ url: pooler.url }), makePool({ url: pooler.url })].map(({ pool }) => pool)
    const loads = pools.map((pool) => keepBusy(pool, 40))
    await eventually(() => pools.map((pool) => pool.counts.total)).toEqual([17, 17])
    await Promise.all(loads.map((load) => load.stop()))
  })

  test('given ten that join at once under load, then they are never given more than there is', async () => {
    const pooler = await startPooler('1.24', readable)
    const pools = Array.from({ length: 10 }, () => makePool({ url: pooler.url }).pool)
    const loads = pools.map((pool) => keepBusy(pool, 20))
    const console = await watch(pooler)
    let [mostGiven, mostShared] = [0, 0]
    await eventually(async () => {
      const { targets, shared } = await lookAt(console)
      mostShared = Math.max(mostShared, shared)
      // A newcomer's first connection comes out of the headroom.
      mostGiven = Math.max(
        mostGiven,
        targets.filter((target) => target > 1).reduce((sum, target) => sum + target, 0),
      )
      return targets
    }).toEqual([...Array(5).fill(2), ...Array(5).fill(3)])
    expect(mostGiven).toBeLessThanOrEqual(BUDGET)
    expect(mostShared).toBeLessThanOrEqual(BUDGET)
    await Promise.all(loads.map((load) => load.stop()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  })

  test("given limits of the database's and the user's clients, then the tightest is shared", async () => {
    const pooler = await startPooler('1.24', {
      settings: { stats_users: 'app', max_db_client_connections: 30, max_user_client_connections: 13 },
    })
    const { pool } = makePool({ url: pooler.url })
    const load = keepBusy(pool, 40)
    await eventually(() => pool.counts.total).toBe(9)
    expect(pool.settings.reasons.max).toContain(
      'max_user_client_connections is 13 usable - 3 headroom - 1 used by others',
    )
    await load.stop()
  })

  test('given session mode, then the servers of the pool are shared, because each client takes one', async () => {
    const pooler = await startPooler('1.24', {
      poolMode: 'session',
      settings: { stats_users: 'app', default_pool_size: 15 },
    })
    const pools = [makePool({ url: pooler.url }), makePool({ url: pooler.url })].map(({ pool }) => pool)
    const loads = pools.map((pool) => keepBusy(pool, 40))
    await eventually(() => pools.map((pool) => pool.counts.total)).toEqual([6, 6])
    expect(pools[0]?.settings.reasons.max).toContain('in session mode the pool has 15 usable - 3 headroom')
    await Promise.all(loads.map((load) => load.stop()))
  })

  test('given no user may read the console, then the static plan holds, and the reason and one warning say why', async () => {
    const pooler = await startPooler('1.24')
    const { pool, warnings } = makePool({ url: pooler.url, pool: { max: 7 } })
    await pool.ready()
    await pool.ready({ refresh: true })
    expect(pool.settings.values.max).toBe(7)
    expect(pool.settings.reasons.max).toBe(
      'given; behind a pooler whose console cannot be read (not allowed; add the user to stats_users, or set ' +
        'fleet.consoleUrl), so fleet "orders" does not share connections',
    )
    expect(warnings).toEqual([expect.stringContaining('fleet "orders" does not share connections')])
    await Promise.all(Array.from({ length: 7 }, () => pool.query('select pg_sleep(0.05)')))
    expect(pool.counts.total).toBe(7)
    expect(pool.snapshot().fleet).toBeNull()
  })

  test('given postgres.js, and no user may read the console, then the warning is the same, and the server logs no error', async () => {
    const pooler = await startPooler('1.24')
    const notices: unknown[] = []
    const sql = guardPostgres(pooler.url, { fleet, name: 'postgres.js', onnotice: (notice) => notices.push(notice) })
    open.push({ [Symbol.asyncDispose]: () => sql.end() })
    await sql.ready()
    expect(sql.settings.reasons.max).toContain('(not allowed; add the user to stats_users, or set fleet.consoleUrl)')
    expect(notices).toEqual([])
  })

  test('given statement mode, then the static plan holds', async () => {
    const pooler = await startPooler('1.24', { poolMode: 'statement', ...readable })
    const { pool } = makePool({ url: pooler.url })
    await pool.ready()
    expect(pool.settings.reasons.max).toMatch(/^default; behind a pooler .*statement .*does not share connections$/)
    expect(pool.counts.max).toBe(10)
  })

  test('given the console of another PgBouncer, then the static plan holds', async () => {
    const [pooler, other] = [await startPooler('1.24'), await startPooler('1.24')]
    const { pool } = makePool({ url: pooler.url, fleet: { ...fleet, consoleUrl: other.statsUrl } })
    const { pool: right } = makePool({ url: pooler.url, fleet: { ...fleet, consoleUrl: pooler.statsUrl } })
    await Promise.all([pool.ready(), right.ready()])
    expect(pool.settings.reasons.max).toMatch(
      /^default; behind a pooler whose console does not show the clients of this pool/,
    )
    expect(right.snapshot().fleet).toMatchObject({ instances: 2 })
  })

  test('given instances on the server itself, then PgBouncer and its fleet are others for them, and they are not seen through it', async () => {
    const pooler = await startPooler('1.24', readable)
    const behind = [makePool({ url: pooler.url }), makePool({ url: pooler.url })].map(({ pool }) => pool)
    const direct = [makePool({ url: server.url }), makePool({ url: server.url })].map(({ pool }) => pool)
    const loads = behind.map((pool) => keepBusy(pool, 40))
    await eventually(() => behind.map((pool) => pool.counts.total)).toEqual([17, 17])
    await eventually(() => server.connectionCount()).toBe(20)
    loads.push(...direct.map((pool) => keepBusy(pool, 40)))
    // 57 usable, 6 headroom, and the 20 servers of PgBouncer.
    await eventually(() => direct.map((pool) => pool.counts.total).toSorted()).toEqual([15, 16])
    expect(direct[0]?.snapshot().fleet).toMatchObject({ instances: 2, sharedConnections: 31 })
    await Promise.all(loads.map((load) => load.stop()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  })

  test('given it is paused for intervals, then everybody keeps what it has, and goes on afterwards', async () => {
    const pooler = await startPooler('1.24', readable)
    const console = await watch(pooler)
    const made = [makePool({ url: pooler.url }), makePool({ url: pooler.url })]
    const pools = made.map(({ pool }) => pool)
    const loads = pools.map((pool) => keepBusy(pool, 40))
    await eventually(() => pools.map((pool) => pool.counts.total).toSorted()).toEqual([16, 17])
    await Promise.all(loads.map((load) => load.stop()))
    await console.query('PAUSE')
    // A look that was answered before the PAUSE counts; none is given up so soon.
    await pause(INTERVAL / 2)
    // Less than above where a look since the load's end has found less demand.
    const shares = pools.map((pool) => pool.counts.max)
    // Each has given up a look, and the connection that it was to be made on; or PgBouncer has, if the PAUSE interrupted a login.
    const gaveUp = ({ events }: MadePool) =>
      events.some((each) => each.type === 'closed' && (each.reason === 'destroyed' || each.reason === 'lost'))
    await eventually(() => made.map(gaveUp)).toEqual([true, true])
    expect(pools.map((pool) => pool.counts.max)).toEqual(shares)
    await console.query('RESUME')
    // PgBouncer repeats for server_login_retry that a login has failed, if the PAUSE interrupted one.
    for (const pool of pools) await waitUntil(() => pool.query('select 1'), { what: 'an answer after RESUME' })
    expect(made.flatMap(({ warnings }) => warnings)).toEqual([])
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  })

  test('given that its server crashes and comes back after a while, then they wait for it, and share again', async () => {
    const crashing = await startPostgres({ maxConnections: 60 })
    open.push(crashing)
    const settings = { ...LIMITS, ...readable.settings, server_login_retry: 1 }
    const pooler = await startPgBouncer({ version: '1.26', upstream: crashing, settings })
    open.push(pooler)
    const made = [makePool({ url: pooler.url }), makePool({ url: pooler.url })]
    const pools = made.map(({ pool }) => pool)
    const loads = pools.map((pool) => keepBusy(pool, 40))
    const shares = () => pools.map((pool) => pool.snapshot().fleet?.maxConnections ?? 0).toSorted()
    await eventually(shares).toEqual([17, 17])
    await crashing.kill('SIGQUIT')
    // Longer than an instance without a share waits for an answer.
    await pause(8_000)
    await crashing.restart()
    await eventually(shares).toEqual([17, 17])
    await Promise.all(loads.map((load) => load.stop()))
    expect(made.flatMap(({ warnings }) => warnings)).toEqual([])
  })

  test('given other limits, then they are shared from the next look on', async () => {
    const pooler = await startPooler('1.24', readable)
    const console = await watch(pooler)
    const pools = [makePool({ url: pooler.url }), makePool({ url: pooler.url })].map(({ pool }) => pool)
    const loads = pools.map((pool) => keepBusy(pool, 40))
    await eventually(() => pools.map((pool) => pool.counts.total).toSorted()).toEqual([16, 17])
    await console.query('SET max_client_conn = 20')
    // Less 3 headroom, and three consoles.
    await eventually(() => pools.map((pool) => pool.counts.total)).toEqual([7, 7])
    await console.query('SET max_client_conn = 60')
    await eventually(() => pools.map((pool) => pool.counts.total)).toEqual([20, 20])
    await Promise.all(loads.map((load) => load.stop()))
    expect(loads.flatMap(({ failures }) => failures)).toEqual([])
  })

  test('given a pool has closed what was idle, or is closed, then nothing of it stays, the console included', async () => {
    const pooler = await startPooler('1.24', readable)
    const console = await watch(pooler)
    const { pool } = makePool({ url: pooler.url })
    const sql = guardPostgres(pooler.url, { fleet, name: 'postgres.js' })
    await Promise.all([pool.ready(), sql.ready()])
    // Each with its console, and the one of the test.
    expect(await lookAt(console)).toMatchObject({ targets: [1, 1], clients: 5 })
    await Promise.all([pool.closeIdle(), sql.end()])
    await eventually(async () => (await console.query('SHOW CLIENTS')).rows.length).toBe(1)
    await pool.query('select 1')
    await eventually(async () => (await lookAt(console)).targets).toEqual([1])
  })

  test('given allowExitOnIdle, then the connection to the console keeps no process alive, either', async () => {
    const pooler = await startPooler('1.24', readable)
    const options = { url: pooler.url, fleet, allowExitOnIdle: true }
    const program = `
      import { GuardedPool } from '@poolguard/pg'
      const pool = new GuardedPool(${JSON.stringify(options)})
      const load = () => Promise.all(Array.from({ length: 5 }, () => pool.query('select pg_sleep(0.01)')))
      while (pool.counts.total < 5) await load()
      console.log(pool.snapshot().fleet.instances)`
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: import.meta.dirname,
      timeout: 60_000,
    })
    expect(stdout).toBe('1\n')
  })

  test('given the connection to the console is killed, then it keeps its share, and publishes again', async () => {
    const pooler = await startPooler('1.24')
    const proxy = await startProxy({ target: pooler })
    open.push(proxy)
    const console = await watch(pooler)
    const consoleUrl = proxy.urlFor(pooler.statsUrl)
    const { pool, warnings } = makePool({ url: pooler.url, fleet: { ...fleet, consoleUrl } })
    const load = keepBusy(pool, 40)
    await eventually(() => pool.counts.total).toBe(20)
    const told = async () => {
      const { rows } = await console.query<{ application_name: string }>('SHOW CLIENTS')
      return rows.map((row) => row.application_name).find((name) => name.includes(':t=20')) ?? 'nothing'
    }
    const seen = new Set(['nothing'])
    for (let i = 0; i < 5; i++) {
      await eventually(async () => seen.has(await told())).toBe(false)
      seen.add(await told())
      proxy.reset()
    }
    await load.stop()
    expect([load.failures, warnings]).toEqual([[], []])
  })

  test('given the console dies, then the static plan holds after two intervals, and the share again when it is back', async () => {
    const pooler = await startPooler('1.24')
    const proxy = await startProxy({ target: pooler })
    open.push(proxy)
    const { pool, warnings } = makePool({
      url: pooler.url,
      fleet: { ...fleet, consoleUrl: proxy.urlFor(pooler.statsUrl) },
    })
    const load = keepBusy(pool, 40)
    await eventually(() => pool.counts.total).toBe(20)
    proxy.refuse()
    proxy.reset()
    await eventually(() => pool.counts.max).toBe(10)
    expect(warnings).toEqual([
      expect.stringMatching(/console cannot be read .*Each instance may open up to 10 \(default\)/),
    ])
    proxy.heal()
    await eventually(() => pool.counts.max).toBe(20)
    await load.stop()
    expect(load.failures).toEqual([])
  })

  test('given the console hangs, then no other instance is delayed, and no caller waits for it', async () => {
    const pooler = await startPooler('1.24')
    const proxy = await startProxy({ target: pooler })
    open.push(proxy)
    const hung = makePool({ url: pooler.url, fleet: { ...fleet, consoleUrl: proxy.urlFor(pooler.statsUrl) } }).pool
    const { pool } = makePool({ url: pooler.url, fleet: { ...fleet, consoleUrl: pooler.statsUrl } })
    const loads = [keepBusy(hung, 40), keepBusy(pool, 5)]
    await eventually(() => hung.counts.total).toBe(20)
    // A console that is being replaced would stay at PgBouncer beside the new one.
    await eventually(() => proxy.connections).toBe(1)
    proxy.blackhole()
    await eventually(() => hung.counts.max).toBe(10)
    await loads[1]?.stop()
    const more = keepBusy(pool, 40)
    await eventually(() => pool.counts.total, 'the last published figures of the other instance count').toBe(
      BUDGET - 2 - 20,
    )
    await Promise.all([loads[0]?.stop(), more.stop()])
    expect([...loads, more].flatMap(({ failures }) => failures)).toEqual([])
    proxy.heal()
  })

  test('given a newcomer whose console does not answer in time, then it has one connection until it sees the others', async () => {
    const pooler = await startPooler('1.24')
    const proxy = await startProxy({ target: pooler })
    open.push(proxy)
    proxy.blackhole()
    const consoleUrl = proxy.urlFor(pooler.statsUrl)
    const { pool, warnings } = makePool({ url: pooler.url, fleet: { ...fleet, consoleUrl } })
    const load = keepBusy(pool, 40)
    // The first look has failed, and the next one is under way.
    await eventually(() => proxy.connections).toBeGreaterThanOrEqual(2)
    expect([pool.counts.max, warnings]).toEqual([1, []])
    proxy.heal()
    await eventually(() => pool.counts.total).toBe(20)
    await load.stop()
    expect([load.failures, warnings]).toEqual([[], []])
  })

  test('given PgBouncer itself is killed and comes back, then its clients share again', async () => {
    const pooler = await startPooler('1.24', readable)
    const pools = [makePool({ url: pooler.url }), makePool({ url: pooler.url })].map(({ pool }) => pool)
    await Promise.all(pools.map((pool) => pool.ready()))
    await pooler.kill('SIGKILL')
    await pooler.restart()
    await eventually(async () => {
      const answers = await Promise.allSettled(pools.map((pool) => pool.query('select 1')))
      return answers.map(({ status }) => status)
    }).toEqual(['fulfilled', 'fulfilled'])
    const loads = pools.map((pool) => keepBusy(pool, 40))
    await eventually(() => pools.map((pool) => pool.counts.total)).toEqual([17, 17])
    await Promise.all(loads.map((load) => load.stop()))
  })
})
