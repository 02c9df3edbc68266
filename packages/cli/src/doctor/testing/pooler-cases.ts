import type { ConnectHelp } from '../../connect-errors/explain-connect-error.ts'
import type { PoolerFacts } from '../../database/read-pooler-facts.ts'
import type { Case } from './case.ts'
import { poolerConsole } from './facts.ts'

const refused: ConnectHelp = {
  cause: 'refused',
  meaning: 'No process listens.',
  now: [{ text: 'Start it:', run: 'docker compose up -d --wait db' }],
  remedy: 'Start the server.',
  page: 'https://example.com/connection-errors.md#refused',
}

type Pool = PoolerFacts['pools'][number]
type Database = PoolerFacts['databases'][number]
type Socket = PoolerFacts['clients'][number]

const DATABASE: Database = {
  ...{ name: 'app', host: '10.0.0.5', port: 5432, database: 'app', forceUser: null, poolMode: null },
  ...{ poolSize: 2, minPoolSize: 0, reservePoolSize: 0, maxConnections: 0, currentConnections: 0 },
  ...{ maxClientConnections: 0, paused: false, disabled: false },
}

const socket = (more: Partial<Socket>): Socket => ({
  ...{ database: 'app', user: 'app', state: 'active', address: '10.0.0.7', port: 40_001, applicationName: 'orders' },
  ...{ connectedAtMillis: 0, requestedAtMillis: 0, pointer: '0x1', link: '', remotePid: 0, id: 7 },
  ...more,
})

/** PgBouncer with one pool of two connections, both held by one client each. */
function pooler(
  pool: Partial<Pool>,
  database: Partial<Database> = {},
  values: Readonly<Record<string, number | string>> = {},
  more: Partial<PoolerFacts> = {},
): PoolerFacts {
  const facts = poolerConsole(values, ['app'])
  const [first] = facts.pools
  return {
    ...facts,
    pools: first ? [{ ...first, ...pool }] : [],
    databases: [{ ...DATABASE, ...database }],
    clients: [
      socket({ pointer: '0xc1', link: '0x51' }),
      socket({ database: 'pgbouncer', user: 'stats', applicationName: '', pointer: '0xc2', requestedAtMillis: 93_000 }),
    ],
    servers: [socket({ pointer: '0x51', link: '0xc1', remotePid: 4_711 })],
    ...more,
  }
}

const full = { serversActive: 2, clientsWaiting: 5, maxWaitMillis: 42_000 }
const unreached = { failure: 'unavailable', message: 'no server connection within 1 s' } as const
const clients = (count: number) => Array.from({ length: count }, () => socket({}))

/** Cases of the rules about connecting and PgBouncer's console. */
export const POOLER_CASES: Readonly<Record<string, readonly Case[]>> = {
  'cannot-connect': [
    {
      given: 'a port that nothing listens on',
      facts: { unreached: { failure: 'unavailable', message: 'connect ECONNREFUSED', help: refused } },
      says: 'postgresql://app@db/app (DATABASE_URL): connect ECONNREFUSED.',
    },
    {
      given: 'a full server, which has a rule of its own',
      facts: { unreached: { failure: 'full', message: 'sorry', help: { ...refused, cause: 'full' } } },
    },
    { given: 'an unknown error', facts: { unreached: { failure: 'unavailable', message: 'an unknown error' } } },
  ],
  'pooler-paused': [
    {
      given: 'a paused database',
      facts: { pooler: pooler({ clientsWaiting: 3 }, { paused: true }) },
      says: 'app is paused (SHOW DATABASES), and 3 clients wait.',
    },
    { given: 'a database that runs', facts: { pooler: pooler({}) } },
    { given: 'no console', facts: {} },
  ],
  'pooler-disabled': [
    { given: 'a disabled database', facts: { pooler: pooler({}, { disabled: true }) }, says: 'app is disabled' },
    { given: 'a database that runs', facts: { pooler: pooler({}) } },
    { given: 'no console', facts: {} },
  ],
  'pooler-pool-full': [
    {
      given: 'a pool in use, and waiting clients',
      facts: { pooler: pooler(full) },
      says: 'Held by orders (client 10.0.0.7:40001, server pid 4711, last request 93 s ago).',
    },
    {
      given: 'a pool in session mode',
      facts: { pooler: pooler({ ...full, poolMode: 'session' }) },
      says: 'set pool_mode = transaction',
    },
    { given: 'a pool in use, and no client that waits', facts: { pooler: pooler({ serversActive: 2 }) } },
    { given: 'a free server connection', facts: { pooler: pooler({ ...full, serversActive: 1, serversIdle: 1 }) } },
    { given: 'no console', facts: {} },
  ],
  'pooler-database-limit': [
    {
      given: 'max_db_connections in use, and a waiting client',
      facts: { pooler: pooler({ ...full, serversActive: 1 }, { maxConnections: 4, currentConnections: 4 }) },
      says: 'app has 4 of 4 server connections (max_db_connections)',
    },
    { given: 'no client that waits', facts: { pooler: pooler({}, { maxConnections: 4, currentConnections: 4 }) } },
    { given: 'no limit', facts: { pooler: pooler(full, { currentConnections: 4 }) } },
    { given: 'no console', facts: {} },
  ],
  'pooler-user-limit': [
    {
      given: 'max_user_connections in use, and a waiting client',
      facts: { pooler: pooler({ ...full, serversActive: 1 }, {}, { max_user_connections: 1 }) },
      says: 'app has 1 of 1 server connections (max_user_connections)',
    },
    {
      given: "a user's own limit",
      facts: {
        pooler: pooler(
          { ...full, serversActive: 1 },
          {},
          { max_user_connections: 9 },
          {
            users: [{ name: 'app', maxConnections: 1, maxClientConnections: 0 }],
          },
        ),
      },
      says: '1 of 1',
    },
    { given: 'no limit', facts: { pooler: pooler(full, {}, { max_user_connections: 0 }) } },
    { given: 'no console', facts: {} },
  ],
  'pooler-login-failing': [
    {
      given: 'waiting clients, and no connection to the server',
      facts: { pooler: pooler({ clientsWaiting: 2 }), unreached },
      says: 'has no connection to 10.0.0.5:5432',
    },
    { given: 'a pool that is just starting', facts: { pooler: pooler({ clientsWaiting: 1, serversLogin: 1 }) } },
    { given: 'a paused database', facts: { pooler: pooler({ clientsWaiting: 2 }, { paused: true }), unreached } },
    {
      given: 'a connection to the server',
      facts: { pooler: pooler({ clientsWaiting: 2, serversActive: 1 }), unreached },
    },
    { given: 'no console', facts: {} },
  ],
  'pooler-clients-near-limit': [
    {
      given: '95 of 100 clients',
      facts: { pooler: pooler({}, {}, { max_client_conn: 100 }, { clients: clients(95) }) },
      says: '95 of 100 clients are connected (max_client_conn); most of them: orders 95.',
    },
    {
      given: 'the limit of a database',
      facts: { pooler: pooler({}, { maxClientConnections: 10 }, { max_client_conn: 100 }, { clients: clients(10) }) },
      says: 'max_db_client_connections, app',
    },
    { given: 'half of them', facts: { pooler: pooler({}, {}, { max_client_conn: 100 }, { clients: clients(50) }) } },
    { given: 'no console', facts: {} },
  ],
  'pooler-clients-wait': [
    {
      given: 'a long wait with free server connections',
      facts: { pooler: pooler({ clientsWaiting: 2, maxWaitMillis: 3_000, serversActive: 1 }) },
      says: 'the longest for 3 s',
    },
    { given: 'a short wait', facts: { pooler: pooler({ clientsWaiting: 2, maxWaitMillis: 20, serversActive: 1 }) } },
    { given: 'a full pool, which has a rule of its own', facts: { pooler: pooler(full) } },
    { given: 'no console', facts: {} },
  ],
  'sqlite-file': [
    {
      given: 'a failed check',
      facts: {
        sqlite: {
          ...{ path: '/app/quota.db', source: 'DATABASE_URL', shown: 'quota.db' },
          checks: [{ name: 'journal mode', status: 'failed', detail: 'journal_mode is delete.' }],
        },
      },
      says: '/app/quota.db (DATABASE_URL), journal mode: journal_mode is delete.',
    },
    {
      given: 'passed checks',
      facts: {
        sqlite: {
          ...{ path: '/app/quota.db', source: 'DATABASE_URL', shown: 'quota.db' },
          checks: [{ name: 'integrity', status: 'passed', detail: 'no problem' }],
        },
      },
    },
    { given: 'no SQLite', facts: {} },
  ],
}
