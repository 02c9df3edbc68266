import { describe, expect, test } from 'vitest'
import { readPgBouncerClients, readPgBouncerConfig, readPgBouncerDatabases, type ShowRow } from '../topology/index.ts'
import { showConfig, showDatabase } from '../topology/testing/show-rows.ts'
import { pooledName } from './pooled-name.ts'
import { readPoolerLook } from './pooler-view.ts'

const SELF = 'orders#mememe'

function client(application_name: string, more: ShowRow = {}): ShowRow {
  return { database: 'orders', user: 'app', application_name, ...more }
}

/** A connection to the console, which carries what an instance has published. */
function told(application_name: string): ShowRow {
  return { database: 'pgbouncer', user: 'stats', application_name }
}

function look(clients: ShowRow[], config: Readonly<Record<string, number | string>> = {}, database: ShowRow = {}) {
  const settings = { max_client_conn: 100, pool_mode: 'transaction', ...config }
  return readPoolerLook(
    {
      config: readPgBouncerConfig(showConfig(settings)),
      databases: readPgBouncerDatabases([showDatabase(database)]),
      clients: readPgBouncerClients(clients),
    },
    SELF,
  )
}

function limits(...given: Parameters<typeof look>) {
  return look(...given)?.limits.map(({ label, usable, members, others }) => [label, usable, members.length, others])
}

describe('what PgBouncer admits', () => {
  const clients = [
    client(pooledName(SELF)),
    client(pooledName(SELF)),
    told(`${SELF}:t=3,d=4,n=1`),
    client(pooledName('bills#aaaaaa'), { user: 'bills' }),
    told('bills#aaaaaa:t=2,d=2,n=1'),
    client('psql'),
    client('', { database: 'cron' }),
    client('', { database: 'pgbouncer', user: 'stats' }),
  ]

  test('is shared by its clients, those of the console among the others', () => {
    expect(limits(clients)).toEqual([['max_client_conn leaves', 100, 2, 5]])
    expect(look(clients)).toMatchObject({ servedAtOnce: 20, own: 2 })
    expect(look(clients)?.limits[0]?.members.map(({ name, claim }) => [name, claim])).toEqual([
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
  ])('and no instance has more than can be served at once: %s', (_what, config, database, servers) => {
    expect(look(clients, config, database)?.servedAtOnce).toBe(servers)
  })

  test('with application_name_add_host is known all the same', () => {
    expect(
      look([client(`${pooledName(SELF)} - 10.0.0.1:47972`), client(`${pooledName(SELF)} - [::1]:47973`)])?.own,
    ).toBe(2)
  })
})

test('given a publication of an instance that has no connection now, then it counts all the same: it may open them', () => {
  const clients = [
    client(pooledName(SELF)),
    told(`${SELF}:t=1,d=1,n=1`),
    told('bills#aaaaaa:t=8,d=8,n=1 - 10.0.0.1:47972'),
  ]
  expect(look(clients)?.limits[0]?.members.map(({ name, open, claim }) => [name, open, claim])).toEqual([
    ['bills#aaaaaa', 0, 8],
    [SELF, 1, 1],
  ])
})

test('given members that have no connection to the console yet, then each has a place for one', () => {
  const newcomers = [client(pooledName('orders#aaaaaa')), client(pooledName('orders#bbbbbb'), { user: 'other' })]
  const clients = [client(pooledName(SELF)), client(pooledName(SELF)), ...newcomers]
  const config = { max_user_client_connections: 30 }
  expect(limits([...clients, told(SELF)], config)).toEqual([
    ['max_client_conn leaves', 100, 3, 3],
    ['max_user_client_connections is', 30, 2, 1],
  ])
  // With its name alone, as before it has published, or with the publication of another one beside it.
  const consoles = [told(SELF), told(`${SELF}:t=2,d=4,n=1`), told('orders#aaaaaa'), told('orders#bbbbbb:t=1,d=4,n=1')]
  expect(limits([...clients, ...consoles])).toEqual([['max_client_conn leaves', 100, 3, 4]])
})

test('given connections that were opened as to a server, then they are the member, but what they tell is not believed', () => {
  const clients = [client(SELF), client(pooledName(SELF)), client('orders#aaaaaa:t=99,d=99,n=1')]
  expect(look(clients)).toMatchObject({ own: 2 })
  expect(look(clients)?.limits[0]?.members.map(({ name, claim }) => [name, claim])).toEqual([
    ['orders#aaaaaa', 1],
    [SELF, 2],
  ])
})

test('given the member is not among the clients, then the console is of another PgBouncer', () => {
  expect(look([client(pooledName('orders#aaaaaa')), told(`${SELF}:t=1,d=1,n=1`)])).toBeUndefined()
})
