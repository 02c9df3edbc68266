import type { PoolEvent } from '@poolguard/core'
import { GuardedPool, type GuardedPoolConfig } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { BUSY_QUERY, eventually, keepBusy, PATIENT } from '../fleet/keep-busy.ts'
import { publishedTargets } from '../fleet/published-targets.ts'
import { StartedInstance } from '../fleet/started-instance.ts'
import {
  describeWithPgBouncer,
  type PgBouncerServer,
  type PostgresServer,
  pgBouncerVersions,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'
import { sample } from '../matrix.ts'

const INTERVAL = 400
const fleet = { app: 'orders', intervalMillis: INTERVAL }
/** 57 usable, 6 headroom, and one connection that looks. */
const BUDGET = 50

let server: PostgresServer
let admin: pg.Client
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 60 })
  for (const role of ['evil', 'bills']) await server.query(`create role ${role} login password '${role}'`)
  await server.query('create database evil owner evil')
  await server.query('grant connect on database evil to app')
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
})

interface MadePool {
  readonly pool: GuardedPool
  readonly warnings: string[]
}

function makePool(config: GuardedPoolConfig = {}): MadePool {
  const warnings: string[] = []
  const onEvent = (event: PoolEvent) => event.type === 'warning' && warnings.push(event.message)
  const pool = new GuardedPool({
    url: server.url,
    fleet,
    pool: PATIENT,
    name: `pool ${open.length}`,
    onEvent,
    ...config,
  })
  open.push({ [Symbol.asyncDispose]: () => pool.end() })
  return { pool, warnings }
}

/** A client of another role, with a name of its choice. */
async function connectAs(application_name: string, url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name })
  client.on('error', () => {})
  await client.connect()
  open.push({ [Symbol.asyncDispose]: () => client.end() })
  return client
}

function evilUrl(database = 'evil'): string {
  return server.urlFor({ user: 'evil', password: 'evil', database })
}

async function startInstance(options: Record<string, unknown> = { fleet, pool: PATIENT }): Promise<StartedInstance> {
  const instance = await StartedInstance.start({ url: server.url, kind: 'guarded', options })
  open.push(instance)
  await instance.load(40, BUSY_QUERY)
  return instance
}

async function totalOf(instances: readonly StartedInstance[]): Promise<number> {
  const reports = await Promise.all(instances.map((instance) => instance.report()))
  return reports.reduce((sum, { total }) => sum + total, 0)
}

/** Pools under load, which want all that there is. */
function busyPools(count: number, config: GuardedPoolConfig = {}) {
  const made = Array.from({ length: count }, () => makePool(config))
  const loads = made.map(({ pool }) => keepBusy(pool, 60))
  open.push({
    async [Symbol.asyncDispose]() {
      await Promise.all(loads.map((load) => load.stop()))
      expect(loads.flatMap(({ failures }) => failures)).toEqual([])
    },
  })
  return {
    made,
    total: () => made.reduce((sum, { pool }) => sum + pool.counts.total, 0),
    least: () => Math.min(...made.map(({ pool }) => pool.counts.max)),
    /** A share that is not open yet may be given up again, if the machine is busy: an attack begins when it is open. */
    leastOpen: () => Math.min(...made.map(({ pool }) => pool.counts.active + pool.counts.idle)),
  }
}

const HOSTILE_FIGURES = [
  't=1,d=1,m=9999,n=1',
  't=9999,d=9999,m=9999,n=zzzzz',
  't=9999,d=1,n=1',
  't=1,d=9999,n=1',
  't=0,d=0,m=0,n=0',
]

describe('given four processes and one connection of another role in another database', () => {
  test.each(HOSTILE_FIGURES.slice(0, 2))('named x#aaaaaa:%s, then they have all but that one', async (figures) => {
    await connectAs(`x#aaaaaa:${figures}`, evilUrl())
    const instances = await Promise.all(Array.from({ length: 4 }, () => startInstance()))
    await eventually(() => totalOf(instances)).toBe(BUDGET - 1)
    // One that comes later changes nothing but by itself.
    await connectAs(`x#aaaaab:${figures}`, evilUrl())
    await eventually(() => totalOf(instances)).toBe(BUDGET - 2)
    await eventually(async () => {
      const reports = await Promise.all(instances.map((instance) => instance.report()))
      return reports.map(({ fleet: seen }) => seen?.instances)
    }).toEqual([4, 4, 4, 4])
  })
})

test('given connections of another role in the same database, under the name of an instance, too, then they are warned of once, and named', async () => {
  const { made, total } = busyPools(2)
  await eventually(total).toBe(BUDGET)
  const member = made[0]?.pool.snapshot().fleet?.instance
  await connectAs(`${member}:t=0,d=0,n=zz`, evilUrl('app'))
  await connectAs('x#aaaaaa', evilUrl('app'))
  await eventually(total).toBe(BUDGET - 2)
  await eventually(() => made.map(({ warnings }) => warnings.length)).toEqual([2, 2])
  expect(made[0]?.warnings.toSorted()).toEqual([
    expect.stringMatching(
      /^fleet "orders" counts 1 connection of role "evil" only as in use, although named like an instance of app "orders"/,
    ),
    expect.stringMatching(
      /^fleet "orders" counts 1 connection of role "evil" .* app "x", .* fleet\.trustedRoles .* CONNECTION LIMIT/,
    ),
  ])
})

test('given a role whose name acts on a terminal, then the warning shows it escaped', async () => {
  const role = 'e\u001b[2J\u202e"l'
  await server.query(`create role ${pg.escapeIdentifier(role)} login password 'evil'`)
  await connectAs('x#aaaaaa:t=9,d=9,n=1', server.urlFor({ user: role, password: 'evil' }))
  const { pool, warnings } = makePool()
  await pool.ready()
  expect(warnings).toEqual([expect.stringContaining(String.raw`"e\u001b[2J\u{202e}\"l"`)])
})

describe("given a connection of the fleet's own role", () => {
  test.each(sample(HOSTILE_FIGURES, 2))(
    'named x#aaaaaa:%s, then the others have in the end all but that one',
    async (figures) => {
      const { made, total, least, leastOpen } = busyPools(4)
      await eventually(leastOpen).toBeGreaterThanOrEqual(Math.floor(BUDGET / 4))
      await connectAs(`x#aaaaaa:${figures}`, server.url)
      let leastEver = Infinity
      await eventually(() => {
        leastEver = Math.min(leastEver, least())
        return made.every(({ warnings }) => warnings.length > 0) || !/9999/.test(figures)
      }).toBe(true)
      await eventually(total).toBeGreaterThanOrEqual(BUDGET - 2)
      expect(leastEver).toBeGreaterThanOrEqual(Math.floor((BUDGET - 1) / 5))
      expect(await server.connectionCount()).toBeLessThanOrEqual(57)
    },
  )

  test('in another database, then it has no more than an equal member, and in the end one', async () => {
    await connectAs('x#aaaaaa:t=9999,d=9999,m=9999,n=1', server.urlFor({ database: 'evil' }))
    const { total } = busyPools(3)
    await eventually(total).toBeGreaterThanOrEqual(BUDGET - 2)
  })

  test('under the name of an instance, then that publishes over it, keeps its part, and says so', async () => {
    const { made, total } = busyPools(2)
    await eventually(total).toBe(BUDGET)
    const member = made[0]?.pool.snapshot().fleet?.instance as string
    const attacker = await connectAs('psql', server.url)
    await attacker.query(`set application_name = '${member}:t=0,d=0,n=1zzz'`)
    await eventually(() => made[0]?.warnings ?? []).toContainEqual(
      expect.stringContaining('found figures under the name of this instance'),
    )
    await eventually(async () => (await publishedTargets(admin)).get(member)).toBeGreaterThanOrEqual(23)
    await eventually(() => Math.min(...made.map(({ pool }) => pool.counts.total))).toBeGreaterThanOrEqual(24)
  })

  test('that takes another name all the time, then newcomers have their part', async () => {
    const attacker = await connectAs('psql', server.url)
    let going = true
    const renaming = (async () => {
      for (let i = 0; going; i++) {
        const id = i.toString(36).padStart(6, 'a')
        await attacker.query(`set application_name = 'x#${id}:t=9999,d=9999,m=9999,n=1'; select pg_sleep(0.2)`)
      }
    })()
    const { total, least } = busyPools(3)
    await eventually(total).toBeGreaterThanOrEqual(3 * Math.floor((BUDGET - 1) / 4))
    await eventually(least).toBeGreaterThanOrEqual(Math.floor((BUDGET - 1) / 4))
    going = false
    await renaming
  })
})

test('given ten connections that each claim to be an instance, then the others have in the end all but those ten', async () => {
  const { made, total, least, leastOpen } = busyPools(3)
  await eventually(leastOpen).toBeGreaterThanOrEqual(Math.floor(BUDGET / 3))
  let leastEver = Infinity
  for (let i = 0; i < 5; i++) await connectAs(`x#aaaaa${i}:t=9999,d=9999,m=9999,n=1`, server.url)
  await eventually(() => {
    leastEver = Math.min(leastEver, least())
    return made.every(({ warnings }) => warnings.length > 0)
  }).toBe(true)
  await eventually(total).toBeGreaterThanOrEqual(BUDGET - 6)
  for (let i = 5; i < 10; i++) await connectAs(`x#aaaaa${i}:t=1,d=9999,n=1`, server.url)
  await eventually(total).toBeLessThanOrEqual(BUDGET - 9)
  await eventually(total).toBeGreaterThanOrEqual(BUDGET - 11)
  expect(leastEver).toBeGreaterThanOrEqual(Math.floor((BUDGET - 5) / 8))
})

test('given another role that holds the lock of the fleets, then callers are served, that is warned of once, and it goes on afterwards', async () => {
  const { made, total } = busyPools(2)
  await eventually(total).toBe(BUDGET)
  const attacker = await connectAs('psql', evilUrl('app'))
  await attacker.query(`select pg_advisory_lock(${0x706f6f6c}, ${0x666c6565})`)
  await eventually(() => made.map(({ warnings }) => warnings.length)).toEqual([1, 1])
  const [warning = ''] = made[0]?.warnings ?? []
  expect(warning).toContain('another session has held the advisory lock of the fleets')
  const [, query] = /(SELECT .* l\.granted)/.exec(warning) ?? []
  expect(await server.query(query as string)).toContainEqual(expect.objectContaining({ usename: 'evil' }))
  await attacker.query('select pg_advisory_unlock_all()')
  await eventually(total).toBe(BUDGET - 1)
  expect(made.map(({ warnings }) => warnings.length)).toEqual([1, 1])
})

test('given postgres.js, then it is no easier prey', async () => {
  await connectAs('x#aaaaaa:t=1,d=1,m=9999,n=1', evilUrl())
  await connectAs('x#aaaaab:t=9999,d=9999,m=9999,n=1', server.url)
  const sql = guardPostgres(server.url, { fleet, name: 'postgres.js', onEvent: () => {} })
  open.push({ [Symbol.asyncDispose]: () => sql.end() })
  const load = keepBusy({ query: (text) => sql.unsafe(text) }, 60)
  await eventually(() => sql.counts.total).toBeGreaterThanOrEqual(BUDGET - 3)
  await load.stop()
})

test('given roles that trust each other, then their instances share, and a third role is ignored', async () => {
  const bills = server.urlFor({ user: 'bills', password: 'bills' })
  await connectAs('x#aaaaaa:t=9999,d=9999,m=9999,n=1', evilUrl())
  const orders = busyPools(1, { fleet: { ...fleet, trustedRoles: ['bills'] } })
  const others = busyPools(1, { url: bills, fleet: { app: 'bills', intervalMillis: INTERVAL, trustedRoles: ['app'] } })
  await eventually(() => [orders.total(), others.total()].toSorted()).toEqual([24, 25])
  expect(orders.made[0]?.warnings).toEqual([expect.stringContaining('"evil"')])
})

for (const version of sample(pgBouncerVersions, 1)) {
  const describePgBouncer = await describeWithPgBouncer(version)
  describePgBouncer(`behind PgBouncer ${version}, given clients that are named like instances`, () => {
    const POOLED = 'x#InStAnCeOfAfLeEtBeHiNdApGbOuNcEr'
    let pooler: PgBouncerServer

    async function startPooler(): Promise<void> {
      const settings = { max_client_conn: 60, default_pool_size: 30, stats_users: 'app, pgbouncer_stats' }
      pooler = await startPgBouncer({ version, upstream: server, settings })
      open.push(pooler)
    }

    test('of another user, then they only count as in use, and are warned of', async () => {
      await startPooler()
      const url = pooler.urlFor({ user: 'postgres' })
      const { made, total } = busyPools(3, { url: pooler.url })
      // 6 headroom, and three consoles.
      await eventually(total).toBe(51)
      await connectAs(POOLED, url)
      await connectAs('x#aaaaaa:t=9999,d=9999,m=9999,n=1', url)
      await eventually(total).toBe(49)
      await eventually(() =>
        made.every(({ warnings }) => warnings.some((each) => each.includes('role "postgres"'))),
      ).toBe(true)
    })

    test('of the same user, in the console, too, then the others have in the end all but those', async () => {
      await startPooler()
      const { made, total, least, leastOpen } = busyPools(3, { url: pooler.url })
      await eventually(leastOpen).toBe(51 / 3)
      await connectAs(POOLED, pooler.url)
      await connectAs('x#aaaaaa:t=9999,d=9999,m=9999,n=1', pooler.urlFor({ database: 'pgbouncer' }))
      let leastEver = Infinity
      await eventually(() => {
        leastEver = Math.min(leastEver, least())
        return made.every(({ warnings }) => warnings.length > 0)
      }).toBe(true)
      await eventually(total).toBeGreaterThanOrEqual(51 - 2 - 1)
      expect(leastEver).toBeGreaterThanOrEqual(Math.floor(47 / 5))
    })
  })
}
