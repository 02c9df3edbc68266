import { CAPACITY_QUERY, type Capacity, planBudget, usableSlots } from '@poolguard/core'
import pg from 'pg'
import { expect, test } from 'vitest'
import { type PostgresServer, postgresVersions, startPostgres } from '../harness/index.ts'

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
  test(`given PostgreSQL ${version}, when it is asked for its capacity, then that is what it gives`, async () => {
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
