import {
  CAPACITY_QUERY,
  type Capacity,
  connectionsOfOthers,
  type DatabaseLoad,
  planBudget,
  readPoolerCapacity,
  SIZING_QUERY,
  USAGE_QUERY,
  type UsageRow,
  usableSlots,
} from '@poolguard/core/postgres'
import { PgBouncerConsole } from '@poolguard/pg'
import pg from 'pg'
import { expect, test } from 'vitest'
import {
  describeWithPgBouncer,
  type PostgresServer,
  postgresVersions,
  startPgBouncer,
  startPostgres,
} from '../harness/index.ts'

async function capacityAt(url: string): Promise<Capacity> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    const { rows } = await client.query<Capacity>(CAPACITY_QUERY)
    return rows[0] as Capacity
  } finally {
    await client.end()
  }
}

/** Opens connections until the server refuses, and says how many it gave. */
async function countConnectionsGiven(server: PostgresServer, url: string): Promise<number> {
  const clients: pg.Client[] = []
  try {
    for (;;) {
      const client = new pg.Client(url)
      await client.connect()
      clients.push(client)
    }
  } catch (error) {
    expect(error).toMatchObject({ code: '53300' })
    return clients.length
  } finally {
    await Promise.all(clients.map((client) => client.end()))
    await expect.poll(() => server.connectionCount()).toBe(0)
  }
}

for (const version of postgresVersions) {
  test(`given PostgreSQL ${version}, then its capacity is read as configured`, async () => {
    await using server = await startPostgres({ version, maxConnections: 12 })

    const plain = await capacityAt(server.url)
    expect(plain).toEqual({
      maxConnections: 12,
      reserved: 3,
      roleLimit: null,
      databaseLimit: null,
      used: 1,
      usedByRole: 1,
      usedByDatabase: 1,
    })
    expect(await countConnectionsGiven(server, server.url)).toBe(usableSlots(plain))

    await server.query('alter role app connection limit 5')
    expect(usableSlots(await capacityAt(server.url))).toBe(5)
    expect(await countConnectionsGiven(server, server.url)).toBe(5)

    await server.query('alter database app connection limit 4')
    expect(usableSlots(await capacityAt(server.url))).toBe(4)
    expect(await countConnectionsGiven(server, server.url)).toBe(4)

    expect(usableSlots(await capacityAt(server.adminUrl)), 'no limit holds a superuser').toBe(12)
  })
}

test('given reserved_connections (16+), only a member of pg_use_reserved_connections may count on them', async () => {
  await using server = await startPostgres({ version: 16, maxConnections: 12, settings: { reserved_connections: 2 } })
  expect(usableSlots(await capacityAt(server.url))).toBe(7)
  expect(await countConnectionsGiven(server, server.url)).toBe(7)

  await server.query('grant pg_use_reserved_connections to app')
  expect(usableSlots(await capacityAt(server.url))).toBe(9)
  expect(await countConnectionsGiven(server, server.url)).toBe(9)
})

test('given more instances than connections, then the plan says what to change, and the change helps', async () => {
  await using server = await startPostgres({ maxConnections: 12 })
  const capacity = await capacityAt(server.url)
  expect(() => planBudget({ capacity, instances: 8 })).toThrow('raise max_connections to 14')
  expect(planBudget({ capacity: { ...capacity, maxConnections: 14 }, instances: 8 }).maxPerInstance).toBe(1)
})

async function ask<Row extends pg.QueryResultRow>(url: string, query: string): Promise<Row[]> {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query<Row>(query)).rows
  } finally {
    await client.end()
  }
}

for (const version of postgresVersions) {
  test(`given PostgreSQL ${version} in use, any role sees who holds how many connections, and how busy they were`, async () => {
    await using server = await startPostgres({ version })
    const holders = [
      new pg.Client({ connectionString: server.url, application_name: 'orders' }),
      new pg.Client({ connectionString: server.url, application_name: 'orders' }),
      new pg.Client({ connectionString: server.adminUrl, application_name: 'cron' }),
    ]
    await Promise.all(holders.map((client) => client.connect()))
    const rows = await ask<UsageRow>(server.url, USAGE_QUERY)
    await holders[0]?.query('select pg_sleep(0.05)')
    await Promise.all(holders.map((client) => client.end()))
    await expect.poll(() => server.connectionCount()).toBe(0)

    expect(rows).toEqual([
      {
        application: 'orders',
        role: 'app',
        database: 'app',
        sameRole: true,
        sameDatabase: true,
        connections: 2,
        hidden: 0,
      },
      expect.objectContaining({ application: 'cron', sameRole: false, sameDatabase: true, connections: 1, hidden: 1 }),
    ])
    expect(connectionsOfOthers(rows)).toEqual({ connections: 1, ofRole: 0, ofDatabase: 1 })
    await expect
      .poll(async () => (await ask<DatabaseLoad>(server.url, SIZING_QUERY))[0]?.activeMillis)
      .toBeGreaterThanOrEqual(50)
    const [load] = await ask<DatabaseLoad>(server.url, SIZING_QUERY)
    expect(load).toMatchObject({ transactions: expect.any(Number), idleInTransactionMillis: 0 })
    expect(load?.elapsedMillis).toBeGreaterThan(0)
    expect(load?.sessionMillis).toBeGreaterThanOrEqual(load?.activeMillis ?? Infinity)
  })
}

test('parallel workers are no connections where the role may see that they are none', async () => {
  await using server = await startPostgres({
    settings: { debug_parallel_query: 'on', max_parallel_workers_per_gather: 2, parallel_setup_cost: 0 },
  })
  const client = new pg.Client({ connectionString: server.url, application_name: 'orders' })
  await client.connect()
  // A worker that waits in a function marked safe for it is there for as long as the query is.
  await client.query(`create function linger() returns text language sql parallel safe as 'select pg_sleep(600)::text'`)
  const working = client.query('select linger()').catch((error: Error) => error)
  const workers = () => server.query("select 1 from pg_stat_activity where backend_type = 'parallel worker'")
  await expect.poll(async () => (await workers()).length).toBeGreaterThan(0)

  expect(await ask<UsageRow>(server.url, USAGE_QUERY)).toMatchObject([{ application: 'orders', connections: 1 }])

  await server.query("select pg_cancel_backend(pid) from pg_stat_activity where application_name = 'orders'")
  expect(await working).toBeInstanceOf(Error)
  await client.end()
})

const describePgBouncer = await describeWithPgBouncer('1.24')
describePgBouncer('given PgBouncer', () => {
  test('the plan keeps to what its console says', async () => {
    await using server = await startPostgres({ maxConnections: 30 })
    await using pgBouncer = await startPgBouncer({
      version: '1.24',
      upstream: server,
      settings: { default_pool_size: 8, reserve_pool_size: 2, max_client_conn: 50 },
    })
    await ask(pgBouncer.url, 'select 1')
    await using console = await PgBouncerConsole.connect(pgBouncer.statsUrl)
    const config = await console.config()
    const databases = await console.databases()
    const pooler = readPoolerCapacity({ config, databases, pools: await console.pools() }, 'app', 'app')

    expect(pooler).toMatchObject({ mode: 'transaction', maxClients: 50, poolSize: 8, reservePoolSize: 2 })
    const budget = planBudget({ capacity: await capacityAt(server.url), instances: 4, pooler })
    expect(budget.maxPerPool).toBe(10)
  })
})
