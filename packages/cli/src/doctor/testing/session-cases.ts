import type { Session } from '../../sessions/session.ts'
import type { Case } from './case.ts'
import { pooled, SERVER, session, sessions } from './facts.ts'

const worker = { pid: 4711, command: 'node dist/worker.js' }
const paused: Partial<Session> = { state: 'idle in transaction', transactionSeconds: 74, stateSeconds: 74 }
const waiting: Partial<Session> = { state: 'active', waitEvent: 'Lock: relation', lockWaitSeconds: 12 }
const hidden: Partial<Session> = {
  ...{ role: 'batch', startedAt: null, changedAt: null, address: null, port: null, state: null, ageSeconds: null },
  ...{ transactionSeconds: null, stateSeconds: null, querySeconds: null, waitEvent: null, query: null },
  isSameRole: false,
}
const holder = session(7, {
  state: 'idle in transaction',
  transactionSeconds: 30,
  stateSeconds: 30,
  query: 'lock table orders',
})
const vacuum = session(9, {
  ...{ kind: 'autovacuum', role: '', application: '', state: 'active', waitEvent: 'BufferPin: BufferPin' },
  ...{ transactionSeconds: 90, query: 'autovacuum: VACUUM public.orders' },
})
const server = (list: readonly Session[]) => ({ server: { ...SERVER, sessions: list } })
const limited = (kind: 'role' | 'database', name: string, limit: number, list: readonly Session[]) => ({
  server: { ...SERVER, limits: [{ kind, name, limit }], sessions: list },
})

/** Cases of the rules about sessions and the limits that they use up. */
export const SESSION_CASES: Readonly<Record<string, readonly Case[]>> = {
  'server-full': [
    {
      given: 'a server that rejects connections',
      facts: { unreached: { failure: 'full', message: 'sorry, too many clients already' } },
      says: 'sorry, too many clients already',
    },
    {
      given: 'a server that rejects connections, and no process of this machine',
      facts: { unreached: { failure: 'full', message: 'sorry, too many clients already' } },
      says: `state like 'idle%' and state_change < now() - interval '1 minute' and usename = 'app';`,
    },
    {
      given: 'a process of this machine that holds connections',
      facts: {
        unreached: {
          ...{ failure: 'full', message: 'sorry, too many clients already' },
          localHolders: [{ ...worker, address: '127.0.0.1', ports: [40_001, 40_002, 40_003, 40_004] }],
        },
      },
      says: 'process 4711 (node dist/worker.js) holds the most connections to it: 4, from 127.0.0.1:40001, 40002, 40003 and 1 more ports.',
    },
    {
      given: 'a process of this machine that fills a role',
      facts: {
        unreached: {
          ...{ failure: 'full', message: 'too many connections for role "app"' },
          localHolders: [{ ...worker, address: '127.0.0.1', ports: [40_001] }],
        },
      },
      says: `where client_addr = '127.0.0.1' and client_port in (40001) and state like 'idle%' and usename = 'app';`,
    },
    {
      given: 'a role that has used up its own limit',
      facts: { unreached: { failure: 'full', message: 'too many connections for role "Api"' } },
      says: 'ALTER ROLE "Api" CONNECTION LIMIT',
    },
    {
      given: 'a database that has used up its own limit',
      facts: { unreached: { failure: 'full', message: 'too many connections for database "app"' } },
      says: 'ALTER DATABASE "app" CONNECTION LIMIT',
    },
    {
      given: 'a PgBouncer at max_client_conn',
      facts: { unreached: { failure: 'full', message: 'no more connections allowed (max_client_conn)' } },
      says: 'raise max_client_conn',
    },
    { given: 'an unreachable server', facts: { unreached: { failure: 'unavailable', message: 'ECONNREFUSED' } } },
  ],
  'blocking-lock': [
    {
      given: 'sessions that wait for a transaction which does nothing',
      facts: server([
        holder,
        session(8, { ...waiting, blockedBy: [7] }),
        session(9, { ...waiting, blockedBy: [7, 8] }),
      ]),
      says: '2 of 3 sessions wait for a lock, the longest for 12 s. It is held by application_name orders, role app, client 10.0.0.5:40007; pid 7 (10.0.0.5:40007, connected for 10 min): idle in transaction for 30 s; last query: lock table orders.',
    },
    {
      given: 'the same, for the statement that helps',
      facts: server([holder, session(8, { ...waiting, blockedBy: [7] })]),
      says: 'set search_path = pg_catalog; select pid, pg_terminate_backend(pid) from pg_stat_activity where pid = 7 and backend_start < to_timestamp(1795913582);',
    },
    {
      given: 'a migration behind a long query, with a queue behind it',
      facts: server([
        session(7, { state: 'active', query: 'select everything' }),
        session(8, { ...waiting, blockedBy: [7], query: 'alter table orders add x int' }),
        session(9, { ...waiting, blockedBy: [8] }),
      ]),
      says: 'Or end pid 8, which the others queue behind.',
    },
    {
      given: 'a prepared transaction that holds the lock',
      facts: {
        server: {
          ...SERVER,
          sessions: [session(8, { ...waiting, blockedBy: [0] })],
          preparedTransactions: [{ gid: "it's", owner: 'app', database: 'app', ageSeconds: 5 }],
        },
      },
      says: "ROLLBACK PREPARED 'it''s';",
    },
    {
      given: 'an autovacuum worker that holds the lock',
      facts: server([vacuum, session(8, { ...waiting, blockedBy: [9] })]),
      says: 'an autovacuum worker, pid 9: autovacuum: VACUUM public.orders',
    },
    {
      given: 'a role that does not see the session which holds the lock',
      facts: server([session(7, hidden), session(8, { ...waiting, blockedBy: [7] })]),
      says: 'Run it as batch, with pg_signal_backend, or as a superuser:',
    },
    {
      given: 'a short wait',
      facts: server([holder, session(8, { ...waiting, blockedBy: [7], lockWaitSeconds: 0.2 })]),
    },
    {
      given: 'a deadlock, which the server ends',
      facts: server([session(7, { ...waiting, blockedBy: [8] }), session(8, { ...waiting, blockedBy: [7] })]),
    },
  ],
  'prepared-transactions': [
    {
      given: 'a forgotten transaction',
      facts: {
        server: { ...SERVER, preparedTransactions: [{ gid: 'tx', owner: 'app', database: 'app', ageSeconds: 4_000 }] },
      },
      says: 'A prepared transaction has been open for 66 min: tx of app in the database app.',
    },
    {
      given: 'a transaction that its manager is about to commit',
      facts: {
        server: { ...SERVER, preparedTransactions: [{ gid: 'tx', owner: 'app', database: 'app', ageSeconds: 4 }] },
      },
    },
  ],
  'role-limit': [
    {
      given: 'a role that has used up its limit, seen by another role',
      facts: limited('role', 'app', 10, sessions(10, { isSameRole: false, localProcess: worker })),
      says: 'The role app has 10 of the 10 connections of its CONNECTION LIMIT. The most by process 4711 on this machine (node dist/worker.js), application_name orders, role app',
    },
    {
      given: 'a server with room for more',
      facts: limited('role', 'app', 10, [...sessions(9), ...sessions(20, { role: 'web' }, 300)]),
      says: 'ALTER ROLE "app" CONNECTION LIMIT 67;',
    },
    {
      given: 'a server without room for more',
      facts: limited('role', 'app', 10, [...sessions(10), ...sessions(80, { role: 'web' }, 300)]),
      says: 'other sessions and a headroom leave 7.',
    },
    { given: 'a role that is below its limit', facts: limited('role', 'app', 10, sessions(8)) },
    { given: 'another role that is below its limit', facts: limited('role', 'web', 10, sessions(10)) },
    { given: 'a role that is closed on purpose', facts: limited('role', 'old', 0, sessions(10)) },
  ],
  'database-limit': [
    {
      given: 'a database whose limit several roles have used up',
      facts: limited('database', 'app', 10, [...sessions(4, { role: 'web' }), ...sessions(6, {}, 300)]),
      says: 'The database app has 10 of the 10 connections of its CONNECTION LIMIT.',
    },
    { given: 'sessions of another database', facts: limited('database', 'app', 10, sessions(10, { database: 'x' })) },
  ],
  'nearly-full': [
    { given: '90 of 97', facts: server(sessions(90)), says: '90 of 97 connections that are not reserved are open.' },
    { given: '80 of 97', facts: server(sessions(80)) },
    {
      given: 'one process that leaks among others',
      facts: server([
        ...sessions(30, { localProcess: { pid: 1, command: 'node dist/web.js' } }, 300),
        ...sessions(60, { localProcess: worker, stateSeconds: 40 }),
      ]),
      says: 'The most by process 4711 on this machine (node dist/worker.js), application_name orders, role app, client 10.0.0.5:40100, 40101, 40102 and 57 more ports: 60 connections (60 idle, the longest for 40 s).',
    },
    {
      given: 'one process that leaks, for the statement that helps',
      facts: server([...sessions(87, { address: '10.0.0.9', state: 'active' }, 300), ...sessions(3)]),
      says: 'npx poolguard free --active --dry-run',
    },
    {
      given: 'sessions that wait for a lock',
      facts: server([holder, ...sessions(90, { ...waiting, blockedBy: [7] })]),
      says: '90 of them wait for a lock of application_name orders, role app, client 10.0.0.5:40007; pid 7',
    },
    {
      given: 'a fleet, whose instances are processes',
      facts: server([
        ...sessions(40, { application: 'psql' }),
        ...sessions(55, { application: 'orders#3f9a1b:t=30,d=40,n=1' }, 300),
      ]),
      says: 'The most by application_name orders#3f9a1b, role app',
    },
    {
      given: 'a role that fills the server beside another one',
      facts: server([...sessions(80, { role: 'batch' }), ...sessions(10, {}, 300)]),
      says: 'ALTER ROLE "batch" CONNECTION LIMIT 77;',
    },
    {
      given: 'an app that logs in as a superuser',
      facts: server(sessions(95, { role: 'postgres', isProtected: true })),
      says: 'postgres is a superuser, which has no CONNECTION LIMIT',
    },
    {
      given: 'sessions of another role, whose state is unknown',
      facts: server(sessions(95, hidden)),
      says: 'the state of 95 needs pg_read_all_stats',
    },
    {
      given: 'PgBouncer in front',
      facts: { server: { ...pooled('safe'), sessions: sessions(95) } },
      says: 'lower default_pool_size',
    },
    {
      given: 'a project without poolguard',
      facts: { ...server(sessions(95)), project: { packages: new Map([['@prisma/client', '7']]) } },
      says: '`fleet: { app }` of @poolguard/prisma',
    },
    { given: 'many processes of PostgreSQL itself', facts: server(sessions(95, { kind: 'other' })) },
  ],
  'idle-in-transaction': [
    {
      given: 'a forgotten transaction',
      facts: server([...sessions(3), ...sessions(1, paused, 300)]),
      says: '1 of 4 sessions of application_name orders, role app, client 10.0.0.5:40100, 40101, 40102 and 1 more ports are idle in transaction, the longest for 74 s: pid 300',
    },
    {
      given: 'several sessions of one process that pause at the same time',
      facts: server(sessions(3, { ...paused, stateSeconds: 4 })),
      says: `where pid in (100, 101, 102) and state like 'idle in transaction%' and backend_start < to_timestamp(1795913582);`,
    },
    {
      given: 'a pool whose only two sessions pause',
      facts: server(sessions(2, { ...paused, stateSeconds: 5 })),
      says: '2 of 2 sessions',
    },
    {
      given: 'a pause between two statements',
      facts: server([...sessions(2, { ...paused, stateSeconds: 5 }), ...sessions(2, {}, 300)]),
    },
    { given: 'short pauses of many sessions', facts: server(sessions(9, { ...paused, stateSeconds: 0.1 })) },
  ],
  'app-wastes-connections': [
    {
      given: 'a route that holds connections without using them',
      facts: {
        app: {
          url: 'http://app:3000/admin/db-pool-stats',
          pools: [
            {
              name: 'orders',
              findings: [
                {
                  ...{ kind: 'idle-in-transaction', label: 'POST /checkout', usedShare: 0.41, count: 12 },
                  ...{ text: '`POST /checkout` holds a connection for 1.2 s', site: 'src/checkout.ts:88' },
                },
              ],
            },
          ],
        },
      },
      says: 'Change the code at src/checkout.ts:88.',
    },
    {
      given: 'an app without findings',
      facts: { app: { url: 'http://app:3000/admin/db-pool-stats', pools: [{ name: 'orders', findings: [] }] } },
    },
    { given: 'no app', facts: {} },
  ],
  'long-transaction': [
    {
      given: 'a batch in one transaction',
      facts: server([session(7, { state: 'active', transactionSeconds: 700, stateSeconds: 1 })]),
      says: 'A transaction has been open for 11 min. By application_name orders',
    },
    { given: 'a short one', facts: server([session(7, { state: 'active', transactionSeconds: 7, stateSeconds: 1 })]) },
    {
      given: 'a long query',
      facts: server([session(7, { state: 'active', transactionSeconds: 90, stateSeconds: 90 })]),
    },
  ],
  'long-query': [
    {
      given: 'a report that runs for long',
      facts: server([session(7, { state: 'active', querySeconds: 700, query: 'select everything' })]),
      says: 'A query has been running for 11 min.',
    },
    { given: 'a query that waits for a lock', facts: server([session(7, { ...waiting, querySeconds: 700 })]) },
    { given: 'an old query of an idle session', facts: server([session(7, { querySeconds: 700 })]) },
  ],
  'stuck-autovacuum': [
    {
      given: 'a worker that waits for a page, and a cursor that pins it',
      facts: server([vacuum, holder]),
      says: 'It most likely waits for pid 7',
    },
    { given: 'a worker that works', facts: server([{ ...vacuum, waitEvent: 'IO: DataFileRead' }]) },
  ],
  'replication-slots': [
    {
      given: 'an abandoned slot',
      facts: {
        server: {
          ...SERVER,
          inactiveSlots: [{ name: 'old', kind: 'physical', database: null, retainedBytes: 5e9, holdsRows: false }],
        },
      },
      says: "select pg_drop_replication_slot('old');",
    },
    { given: 'no inactive slot', facts: server([]) },
  ],
  'idle-sessions-pile-up': [
    {
      given: 'unused connections',
      facts: server([...sessions(18, { stateSeconds: 700 }), ...sessions(2, {}, 300)]),
      says: '18 of 20 sessions of application_name orders, role app',
    },
    {
      given: 'a few unused connections among many',
      facts: server([...sessions(11, { stateSeconds: 700 }), ...sessions(9, {}, 300)]),
    },
    { given: 'a small idle pool', facts: server(sessions(5, { stateSeconds: 700 })) },
  ],
}
