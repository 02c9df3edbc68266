import { type PostgresServer, startPgBouncer, startPostgres, waitUntil } from '../harness/index.ts'
import type { AppOrders } from './app.ts'
import { StartedApp } from './started-app.ts'

/** An outage with four app processes, one of which is to blame. */
export interface StagedOutage extends AsyncDisposable {
  readonly server: PostgresServer
  readonly culprit: StartedApp
  /** The pids of the sessions whose end frees connections. */
  readonly guilty: readonly number[]
  /** What a superuser passes to doctor. */
  readonly asSuperuser: readonly string[]
  /** What a person with the app's URL passes to doctor. */
  readonly asApp: readonly string[]
}

export const OUTAGES: Readonly<Record<string, () => Promise<StagedOutage>>> = {
  /** One process has checked out twenty connections and never released them. */
  leak: () =>
    stage({
      culprit: { connections: 20, statements: ['select 1'] },
      others: { connections: 2, statements: ['select 1'] },
    }),
  /** One process calls another service in the middle of its transactions. */
  'idle in transaction': () =>
    stage({
      culprit: { connections: 8, statements: ['begin', 'select * from things'] },
      others: { connections: 2, statements: ['select 1'] },
      until: `select count(*) from pg_stat_activity where state like 'idle in%' and state_change < now() - interval '1 second'`,
      reaches: 8,
    }),
  /** All wait for a lock of one process. */
  lock: () =>
    stage({
      culprit: { connections: 1, statements: ['begin', 'update things set name = name'] },
      others: { connections: 6, statements: ['select 1'], last: 'update things set name = name' },
      until: `select count(*) from pg_locks where not granted and waitstart < now() - interval '1 second'`,
      reaches: 18,
    }),
  /** One process takes most of what the role may have. */
  'role limit': () =>
    stage({
      maxConnections: 60,
      roleLimit: 20,
      culprit: { connections: 14, statements: ['select 1'] },
      others: { connections: 2, statements: ['select 1'] },
    }),
  /** One process keeps all server connections of PgBouncer's pool. */
  'PgBouncer pool full': stagePooler,
}

/** The leak again, with no connection left: the app's role is rejected. */
export function leakUntilFull(): Promise<StagedOutage> {
  return stage({
    maxConnections: 29,
    culprit: { connections: 20, statements: ['select 1'] },
    others: { connections: 2, statements: ['select 1'] },
  })
}

/** One process keeps all server connections of a pool in transactions, and the clients of the others wait. */
async function stagePooler(): Promise<StagedOutage> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startPostgres({ maxConnections: 30 }))
  await prepare(server)
  const pooler = stack.use(await startPgBouncer({ upstream: server, settings: { default_pool_size: 5 } }))
  const { url } = pooler
  const culprit = stack.use(
    await StartedApp.start({ url, connections: 5, statements: ['begin', 'select * from things'] }),
  )
  const guilty = await pidsOf(server)
  for (let i = 0; i < 3; i++) {
    stack.use(await StartedApp.start({ url, connections: 2, statements: [], last: 'select 1' }))
  }
  const waiting = async () => {
    const pool = (await pooler.show('POOLS')).find(({ database }) => database === 'app')
    return Number(pool?.cl_waiting) === 6 && Number(pool?.maxwait) >= 1
  }
  await waitUntil(waiting, { what: 'the clients to wait' })
  const kept = stack.move()
  return {
    ...{ server, culprit, guilty },
    asSuperuser: [server.adminUrl, '--pooler-url', pooler.adminUrl],
    asApp: [url, '--pooler-url', pooler.statsUrl],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

interface Stage {
  readonly maxConnections?: number
  readonly roleLimit?: number
  readonly culprit: Omit<AppOrders, 'url'>
  readonly others: Omit<AppOrders, 'url'>
  /** A query for a number, and what it has to reach. */
  readonly until?: string
  readonly reaches?: number
}

async function stage({
  maxConnections = 30,
  roleLimit,
  culprit,
  others,
  until,
  reaches = 0,
}: Stage): Promise<StagedOutage> {
  await using stack = new AsyncDisposableStack()
  const server = stack.use(await startPostgres({ maxConnections }))
  await prepare(server)
  if (roleLimit !== undefined) await server.query(`alter role app connection limit ${roleLimit}`)
  const blamed = stack.use(await StartedApp.start({ url: server.url, ...culprit }))
  const guilty = await pidsOf(server)
  for (let i = 0; i < 3; i++) stack.use(await StartedApp.start({ url: server.url, ...others }))
  if (until) {
    const counted = async () => Number(Object.values((await server.query(until))[0] ?? {})[0]) >= reaches
    await waitUntil(counted, { what: 'the outage to be complete' })
  }
  const kept = stack.move()
  return {
    server,
    culprit: blamed,
    guilty,
    asSuperuser: [server.adminUrl],
    asApp: [server.url],
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  }
}

async function prepare(server: PostgresServer): Promise<void> {
  await server.query(
    `create table things (id int, name text); insert into things values (1, 'a'); grant all on things to app`,
  )
  await server.query(`alter role app set idle_in_transaction_session_timeout = '1h'`)
}

async function pidsOf(server: PostgresServer): Promise<readonly number[]> {
  const rows = await server.query<{ pid: number }>(`select pid from pg_stat_activity where usename = 'app'`)
  return rows.map(({ pid }) => pid)
}
