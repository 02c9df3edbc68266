import { describe, expect, test } from 'vitest'
import { readPgBouncerClients, readPgBouncerConfig, readPgBouncerDatabases, type ShowRow } from '../topology/index.ts'
import { showConfig, showDatabase } from '../topology/testing/show-rows.ts'
import { pooledName } from './pooled-name.ts'
import { viewPooler } from './pooler-view.ts'

const SELF = 'orders#mememe'

function client(application_name: string, more: ShowRow = {}): ShowRow {
  return { database: 'orders', user: 'app', application_name, ...more }
}

/** A connection to the console with a publication. */
function publisher(application_name: string): ShowRow {
  return { database: 'pgbouncer', user: 'stats', application_name }
}

function view(clients: ShowRow[], config: Readonly<Record<string, number | string>> = {}, database: ShowRow = {}) {
  const settings = { max_client_conn: 100, pool_mode: 'transaction', ...config }
  return viewPooler(
    {
      config: readPgBouncerConfig(showConfig(settings)),
      databases: readPgBouncerDatabases([showDatabase(database)]),
      clients: readPgBouncerClients(clients),
    },
    SELF,
  )
}

function limits(...given: Parameters<typeof view>) {
  return view(...given)?.limits.map(({ label, usable, members, others }) => [label, usable, members.length, others])
}

describe('the clients that PgBouncer admits', () => {
  const clients = [
    client(pooledName(SELF)),
    client(pooledName(SELF)),
    publisher(`${SELF}:t=3,d=4,n=1`),
    client(pooledName('bills#aaaaaa'), { user: 'bills' }),
    publisher('bills#aaaaaa:t=2,d=2,n=1'),
    client('psql'),
    client('', { database: 'cron' }),
    client('', { database: 'pgbouncer', user: 'stats' }),
  ]

  test('are shared, and clients of the console count as others', () => {
    expect(limits(clients)).toEqual([['max_client_conn leaves', 100, 2, 5]])
    expect(view(clients)).toMatchObject({ servedAtOnce: 20, own: 2 })
    expect(view(clients)?.limits[0]?.members.map(({ name, claim }) => [name, claim])).toEqual([
      ['bills#aaaaaa', 2],
      [SELF, 3],
    ])
  })

  test('is less where the clients of a database or of a user are limited', () => {
    expect(limits(clients, { max_user_client_connections: 30 }, { max_client_connections: 40 })).toEqual([
      ['max_client_conn leaves', 100, 2, 5],
      ["the database's max_client_connections are", 40, 2, 1],
      ['max_user_client_connections is', 30, 1, 2],
    ])
  })

  test('is less in session mode, where each client of a pool takes one of its servers', () => {
    expect(limits(clients, { pool_mode: 'session', max_db_connections: 0 }, { max_connections: 15 })).toEqual([
      ['max_client_conn leaves', 100, 2, 5],
      ['in session mode the pool has', 15, 1, 1],
    ])
  })

  test.each<[what: string, config: Readonly<Record<string, number>>, database: ShowRow, servers: number]>([
    ['the reserve counts', {}, { reserve_pool_size: 5 }, 25],
    ['max_db_connections', {}, { max_connections: 12 }, 12],
    ['max_user_connections', { max_user_connections: 8 }, {}, 8],
  ])('and no instance gets more than the pooler serves at the same time: %s', (_what, config, database, servers) => {
    expect(view(clients, config, database)?.servedAtOnce).toBe(servers)
  })

  test('are recognized with application_name_add_host', () => {
    expect(
      view([client(`${pooledName(SELF)} - 10.0.0.1:47972`), client(`${pooledName(SELF)} - [::1]:47973`)])?.own,
    ).toBe(2)
  })
})

test('given a publication of an instance without an open connection, then it counts, because the instance may open connections', () => {
  const clients = [
    client(pooledName(SELF)),
    publisher(`${SELF}:t=1,d=1,n=1`),
    publisher('bills#aaaaaa:t=8,d=8,n=1 - 10.0.0.1:47972'),
  ]
  expect(view(clients)?.limits[0]?.members.map(({ name, open, claim }) => [name, open, claim])).toEqual([
    ['bills#aaaaaa', 0, 8],
    [SELF, 1, 1],
  ])
})

test('given clients of the own user on the console, then the limit of the user applies to them, and that of the database does not', () => {
  const clients = [client(pooledName(SELF)), { ...publisher(SELF), user: 'app' }, client('', { database: 'pgbouncer' })]
  expect(limits(clients, { max_user_client_connections: 30 }, { max_client_connections: 40 })).toEqual([
    ['max_client_conn leaves', 100, 1, 2],
    ["the database's max_client_connections are", 40, 1, 0],
    ['max_user_client_connections is', 30, 1, 2],
  ])
})

test('instances without a connection to the console are named, so that they can be watched', () => {
  const view_ = view([client(pooledName(SELF)), client(pooledName('orders#aaaaaa')), publisher(SELF), client('psql')])
  expect(view_?.limits[0]?.awaited).toEqual(['orders#aaaaaa'])
})

test('given instances without a connection to the console, then a slot is reserved for each', () => {
  const newcomers = [client(pooledName('orders#aaaaaa')), client(pooledName('orders#bbbbbb'), { user: 'other' })]
  const clients = [client(pooledName(SELF)), client(pooledName(SELF)), ...newcomers]
  const config = { max_user_client_connections: 30 }
  expect(limits([...clients, publisher(SELF)], config)).toEqual([
    ['max_client_conn leaves', 100, 3, 3],
    ['max_user_client_connections is', 30, 2, 1],
  ])
  // With its name alone before it has published, or next to the publication of another instance.
  const consoles = [
    publisher(SELF),
    publisher(`${SELF}:t=2,d=4,n=1`),
    publisher('orders#aaaaaa'),
    publisher('orders#bbbbbb:t=1,d=4,n=1'),
  ]
  expect(limits([...clients, ...consoles])).toEqual([['max_client_conn leaves', 100, 3, 4]])
})

test('given connections with the name for a server, then they belong to the instance, but their figures are ignored', () => {
  const clients = [client(SELF), client(pooledName(SELF)), client('orders#aaaaaa:t=99,d=99,n=1')]
  expect(view(clients)).toMatchObject({ own: 2 })
  expect(view(clients)?.limits[0]?.members.map(({ name, claim }) => [name, claim])).toEqual([
    ['orders#aaaaaa', 1],
    [SELF, 2],
  ])
})

test('given the instance is not among the clients, then the console belongs to another PgBouncer', () => {
  expect(view([client(pooledName('orders#aaaaaa')), publisher(`${SELF}:t=1,d=1,n=1`)])).toBeUndefined()
})
