import { expect, test } from 'vitest'
import { readPgBouncerConfig, readPgBouncerDatabases, readPgBouncerPools, type ShowRow } from '../topology/index.ts'
import { showConfig, showDatabase, showPool } from '../topology/testing/show-rows.ts'
import { poolerServers, readPoolerCapacity } from './pooler-capacity.ts'

function answers(database: ShowRow, config: Readonly<Record<string, string>> = {}) {
  return {
    config: readPgBouncerConfig(showConfig({ max_client_conn: '500', pool_mode: 'session', ...config })),
    databases: readPgBouncerDatabases([showDatabase({ reserve_pool_size: 2, ...database })]),
    pools: readPgBouncerPools([
      showPool({ cl_active: 9, cl_waiting: 3 }),
      showPool({ user: 'cron', cl_active: 4, cl_waiting: 1 }),
      showPool({ database: 'pgbouncer', user: 'stats', cl_active: 1 }),
    ]),
  }
}

test('the limits come from the database of the pooler, or from its configuration', () => {
  expect(readPoolerCapacity(answers({}), 'orders', 'app')).toEqual({
    mode: 'session',
    maxClients: 500,
    otherClients: 6,
    poolSize: 20,
    reservePoolSize: 2,
    maxDbConnections: null,
    maxUserConnections: null,
  })
  const bounded = answers({ pool_mode: 'transaction', max_connections: '15' }, { max_user_connections: '12' })
  expect(readPoolerCapacity(bounded, 'orders', 'app')).toMatchObject({
    mode: 'transaction',
    maxDbConnections: 15,
    maxUserConnections: 12,
  })
})

test('a forced user owns the pool', () => {
  expect(readPoolerCapacity(answers({ force_user: 'cron' }), 'orders', 'app')?.otherClients).toBe(13)
})

test('a database that the pooler does not list has no capacity', () => {
  expect(readPoolerCapacity(answers({}), 'reports', 'app')).toBeUndefined()
})

test.each([
  [{}, 22],
  [{ maxDbConnections: 15 }, 15],
  [{ maxUserConnections: 12, maxDbConnections: 15 }, 12],
  [{ maxUserConnections: 90 }, 22],
])('servers with %j: %d', (limits, servers) => {
  const capacity = readPoolerCapacity(answers({}), 'orders', 'app')
  if (!capacity) throw new Error('not listed')
  expect(poolerServers({ ...capacity, ...limits })).toBe(servers)
})
