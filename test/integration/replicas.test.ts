import type { PoolSnapshot } from '@poolguard/core'
import { runOnPrimary, runWithOwnWrites } from '@poolguard/core/postgres'
import { guardPoolClass } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  type PostgresServer,
  type Replication,
  startPgBouncer,
  startPostgres,
  startReplication,
  waitUntil,
} from '../harness/index.ts'

const GuardedPool = guardPoolClass(pg.Pool)

interface Options {
  readonly url: string
  readonly replicas: readonly string[]
  readonly maxReplicaLagMillis?: number
  readonly readYourWritesMillis?: number
  readonly withoutReplica?: 'primary' | 'reject'
}

/** A pool of either driver, as these tests use it. */
interface App {
  query(text: string): Promise<readonly Record<string, unknown>[]>
  transact(texts: readonly string[]): Promise<readonly Record<string, unknown>[]>
  snapshot(): PoolSnapshot
  end(): Promise<void>
}

const DRIVERS: Readonly<Record<string, (options: Options) => App>> = {
  pg: (options) => {
    const pool = new GuardedPool({ onEvent: () => {}, max: 3, ...options })
    return {
      query: async (text) => (await pool.query(text)).rows,
      transact: async (texts) => {
        const client = await pool.connect()
        let rows: Record<string, unknown>[] = []
        for (const text of ['begin', ...texts]) ({ rows } = await client.query(text))
        await client.query('commit')
        client.release()
        return rows
      },
      snapshot: () => pool.snapshot(),
      end: () => pool.end(),
    }
  },
  'postgres.js': ({ url, ...options }) => {
    const sql = guardPostgres(url, { onEvent: () => {}, max: 3, ...options })
    return {
      query: (text) => sql.unsafe(text),
      transact: (texts) =>
        sql.begin(async (transaction) => {
          let rows: readonly Record<string, unknown>[] = []
          for (const text of texts) rows = await transaction.unsafe(text)
          return rows
        }) as Promise<readonly Record<string, unknown>[]>,
      snapshot: () => sql.snapshot(),
      end: () => sql.end(),
    }
  },
}

const PORT = `select setting::int as port from pg_settings where name = 'port'`
const COUNT = `select count(*)::int as n, (select setting::int from pg_settings where name = 'port') as port from written`

let replication: Replication
let primary: PostgresServer
let standby: PostgresServer

beforeAll(async () => {
  replication = await startReplication({ settings: { synchronous_commit: 'on' } })
  primary = replication.primary
  standby = replication.standbys[0] as PostgresServer
  await primary.query(`
    create table written (id int);
    create function note() returns int language sql as 'insert into written values (0) returning id';
    create view noting as select note() as id;
    grant all on all tables in schema public to app`)
  await replication.caughtUp()
})
afterAll(() => replication.stop())

function open(driver: string, options: Partial<Options> = {}): App {
  const app = DRIVERS[driver]?.({ url: primary.url, replicas: [standby.url], ...options })
  if (!app) throw new Error(`unknown driver ${driver}`)
  onTestFinished(() => app.end())
  return app
}

const stateOf = (app: App) => app.snapshot().routing?.replicas[0]?.state

async function untilReadsOn(app: App, server: PostgresServer): Promise<void> {
  const isThere = async () => (await app.query(PORT))[0]?.port === server.port
  await waitUntil(isThere, { what: `reads go to port ${server.port}` })
}

/** The standby receives, but does not replay. */
async function pauseReplay(): Promise<void> {
  await standby.query('select pg_wal_replay_pause()')
  onTestFinished(resumeReplay)
  const isPaused = async () =>
    (await standby.query('select pg_get_wal_replay_pause_state() as state'))[0]?.state === 'paused'
  await waitUntil(isPaused, { what: 'the replay is paused' })
}

async function resumeReplay(): Promise<void> {
  await standby.query('select pg_wal_replay_resume()')
  await replication.caughtUp()
}

describe.each(Object.keys(DRIVERS))('%s with a replica', (driver) => {
  test('sends statements that only read to the replica, and all others to the primary', async () => {
    const app = open(driver)
    await untilReadsOn(app, standby)
    expect(await app.query(`with x as (insert into written values (1)) ${PORT}`)).toEqual([{ port: primary.port }])
    expect(await app.transact([PORT])).toEqual([{ port: primary.port }])
    expect(await runOnPrimary(async () => await app.query(PORT))).toEqual([{ port: primary.port }])
    expect(app.snapshot().routing).toMatchObject({ replicas: [{ state: 'usable', reads: expect.any(Number) }] })
  })

  test('never reads less than the caller has written, while the replica lags', async () => {
    const app = open(driver, { readYourWritesMillis: 50 })
    await primary.query('delete from written')
    await replication.caughtUp()
    await untilReadsOn(app, standby)
    await pauseReplay()
    expect(await app.query(COUNT)).toEqual([{ n: 0, port: standby.port }])
    await app.query('insert into written values (1)')
    expect(await app.query(COUNT)).toEqual([{ n: 1, port: primary.port }])
    await app.transact(['insert into written values (2)'])
    expect(await app.query(COUNT)).toEqual([{ n: 2, port: primary.port }])
    await resumeReplay()
    await untilReadsOn(app, standby)
    expect(await app.query(COUNT)).toEqual([{ n: 2, port: standby.port }])
  })

  test('waits for a replica that replays the write in time', async () => {
    const app = open(driver, { readYourWritesMillis: 60_000 })
    await untilReadsOn(app, standby)
    await primary.query('delete from written')
    await pauseReplay()
    await app.query('insert into written values (1)')
    const read = app.query(COUNT)
    await resumeReplay()
    expect(await read).toEqual([{ n: 1, port: standby.port }])
  })

  test('in a unit of work, only its own writes count', async () => {
    const app = open(driver, { readYourWritesMillis: 0 })
    await untilReadsOn(app, standby)
    await pauseReplay()
    const portOf = async () => (await app.query(PORT))[0]?.port
    await runWithOwnWrites(async () => {
      expect(await portOf()).toBe(standby.port)
      await runWithOwnWrites(async () => app.query('insert into written values (1)'))
      expect(await portOf()).toBe(primary.port)
    })
    expect(await runWithOwnWrites(portOf)).toBe(standby.port)
    expect(await portOf()).toBe(primary.port)
  })

  test('takes out a replica that lags too much, and takes it back', async () => {
    const app = open(driver, { maxReplicaLagMillis: 300 })
    await untilReadsOn(app, standby)
    await pauseReplay()
    await primary.query('insert into written values (1)')
    await untilReadsOn(app, primary)
    expect(stateOf(app)).toBe('lagging')
    await resumeReplay()
    await untilReadsOn(app, standby)
  })

  test('takes out a replica that is down, and takes it back', async () => {
    const app = open(driver)
    await untilReadsOn(app, standby)
    await standby.kill('SIGKILL')
    await waitUntil(async () => (await app.query(PORT).catch(() => []))[0]?.port === primary.port, {
      what: 'reads go to the primary',
    })
    expect(stateOf(app)).toBe('down')
    await standby.restart()
    await untilReadsOn(app, standby)
  })

  test('remembers which texts a replica has rejected because they write', async () => {
    const app = open(driver)
    await untilReadsOn(app, standby)
    await expect(app.query('select id from noting')).rejects.toMatchObject({ code: '25006' })
    expect(await app.query('select id from noting')).toEqual([{ id: 0 }])
  })

  test("rejects reads without a replica, with withoutReplica: 'reject'", async () => {
    const gone = await startPostgres()
    const { url } = gone
    await gone.stop()
    const app = open(driver, { replicas: [url], withoutReplica: 'reject' })
    await expect(app.query(PORT)).rejects.toMatchObject({ name: 'ConnectError', code: 'POOLGUARD_NO_REPLICA' })
    expect(await app.transact([PORT])).toEqual([{ port: primary.port }])
  })

  test('reads own writes on the primary if the replica is behind a pooler', async () => {
    await using pooler = await startPgBouncer({ upstream: standby, poolMode: 'transaction' })
    const app = open(driver, { replicas: [pooler.url], readYourWritesMillis: 60_000 })
    await untilReadsOn(app, standby)
    await app.query('insert into written values (1)')
    expect(await app.query(PORT)).toEqual([{ port: primary.port }])
  })
})

test('pg: a query and a checkout can choose their server', async () => {
  const pool = new GuardedPool({ url: primary.url, replicas: [standby.url], routeReads: false, onEvent: () => {} })
  onTestFinished(() => pool.end())
  const portOf = async (query: Promise<{ rows: readonly { port: number }[] }>) => (await query).rows[0]?.port
  expect(await portOf(pool.query(PORT))).toBe(primary.port)
  expect(await portOf(pool.query({ text: PORT, on: 'replica' }))).toBe(standby.port)
  const client = await pool.connect({ on: 'replica' })
  expect(await portOf(client.query(PORT))).toBe(standby.port)
  client.release()
  expect(await portOf(pool.replicas[0]?.query(PORT) ?? pool.query(PORT))).toBe(standby.port)
})

test('pg: each replica has a pool of its own, whose options it may set', async () => {
  const pool = new GuardedPool({
    url: primary.url,
    name: 'orders',
    max: 4,
    pool: { acquireTimeoutMillis: 1_000 },
    replicas: [standby.url, { url: standby.url, max: 7, pool: { idleTimeoutMillis: 5 } }],
  })
  onTestFinished(() => pool.end())
  const settings = pool.replicas.map((replica) => replica.settings.values)
  expect(settings).toMatchObject([
    { max: 4, acquireTimeoutMillis: 1_000 },
    { max: 7, acquireTimeoutMillis: 1_000, idleTimeoutMillis: 5 },
  ])
  expect(pool.replicas.map((replica) => replica.snapshot().name)).toEqual(['orders-replica-1', 'orders-replica-2'])
  expect(() => new GuardedPool({ url: primary.url, replicas: [undefined as never] })).toThrow('Invalid option replicas')
})

test.each(Object.keys(DRIVERS))('%s: a replica that was promoted is not used any more', async (driver) => {
  const own = await startReplication()
  onTestFinished(() => own.stop())
  const promoted = own.standbys[0] as PostgresServer
  const app = open(driver, { url: own.primary.url, replicas: [promoted.url] })
  await untilReadsOn(app, promoted)
  await own.promote(promoted)
  await untilReadsOn(app, own.primary)
  expect(stateOf(app)).toBe('promoted')
})
