import { Controller, Get } from '@nestjs/common'
import {
  AcquireTimeoutError,
  InvalidOptionError,
  type LanesOptions,
  type PoolStats,
  runInLane,
  snapshotPools,
  withDeadlockDetection,
} from '@poolguard/core'
import { drizzle as drizzlePg } from '@poolguard/drizzle/node-postgres'
import { drizzle as drizzlePostgresJs } from '@poolguard/drizzle/postgres-js'
import { DatabaseLane, getPoolToken, InjectPool, PoolguardModule } from '@poolguard/nestjs'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { PrismaPg } from '@poolguard/prisma'
import { guardDataSource } from '@poolguard/typeorm'
import { poolguardWeb } from '@poolguard/web'
import { type SQL, sql } from 'drizzle-orm'
import { DataSource } from 'typeorm'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { PrismaClient } from '#prisma-client'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { appWith, serve } from './fastify-app.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'
import { platforms, route, startApp } from './nestjs-app.ts'
import { frameworks, startWebApp } from './web-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 40 })
})
afterAll(() => server.stop())

interface OpenPool {
  readonly run: (text: string) => Promise<unknown>
  /** A query that may share its connection. */
  readonly read: () => PromiseLike<unknown>
  readonly stats: () => PoolStats
  /** Statements that were sent behind others so far. */
  readonly sentBehind: () => number
  /** Acquires a connection in a lane that an option names, and returns its release. */
  readonly acquireIn: (lane: string) => Promise<() => void>
}

const LANES: LanesOptions = { web: { reserve: 1 }, jobs: { max: '50%' } }
const SETTINGS = { acquireTimeoutMillis: 5_000 }

/** Pools with four connections. */
const drivers: Record<string, (pipeline: 'off' | 'reads') => OpenPool> = {
  pg: (pipeline) => {
    const pool = new GuardedPool({ url: server.url, max: 4, lanes: LANES, pool: { ...SETTINGS, pipeline } })
    onTestFinished(() => pool.end())
    return {
      run: (text) => pool.query(text),
      read: () => pool.query('select 1'),
      stats: () => pool.snapshot().stats,
      sentBehind: () => pool.snapshot().pipelining?.sentBehind ?? 0,
      acquireIn: async (lane) => {
        const client = await pool.connect({ lane })
        return () => client.release()
      },
    }
  },
  'postgres.js': (pipeline) => {
    const sql = guardPostgres({ url: server.url, max: 4, lanes: LANES, pool: { ...SETTINGS, pipeline } })
    onTestFinished(() => sql.end())
    return {
      run: (text) => sql.unsafe(text),
      read: () => sql`select 1`,
      stats: () => sql.snapshot().stats,
      sentBehind: () => sql.snapshot().pipelining?.sentBehind ?? 0,
      acquireIn: async (lane) => {
        const reserved = await sql.reserve({ lane })
        return () => reserved.release()
      },
    }
  },
}

describe.each(Object.entries(drivers))('given %s', (_driver, open) => {
  test('when jobs flood the pool, then they have at most half of it, and requests are answered meanwhile', async () => {
    const { run, stats } = open('off')
    const gate = await closeGate(server)
    const jobs = Array.from({ length: 20 }, () => runInLane('jobs', async () => await run(AT_THE_GATE)))
    await waitUntil(() => stats().lanes?.jobs?.active === 2, { what: 'jobs have their half' })
    await runInLane('web', async () => await run('select 1'))
    await run('select 1')
    expect(stats().lanes).toMatchObject({
      jobs: { max: 2, active: 2, waiting: 18 },
      web: { max: 4, reserve: 1, active: 0, waiting: 0 },
      default: { waiting: 0 },
    })
    await gate.open()
    await Promise.all(jobs)

    expect(stats().lanes?.jobs).toMatchObject({ active: 0, wait: { count: 20 } })
  })

  test('a connection that an option names a lane for belongs to it until its release', async () => {
    const { acquireIn, stats } = open('off')
    const release = await acquireIn('jobs')
    expect(stats().lanes?.jobs?.active).toBe(1)
    release()
    await waitUntil(() => stats().lanes?.jobs?.active === 0, { what: 'the release' })

    await expect(acquireIn('job')).rejects.toThrow(InvalidOptionError)
  })

  test('when statements are pipelined, then they share connections only within their lane', async () => {
    const { run, read, stats, sentBehind } = open('reads')
    const readIn = (lane: string) => runInLane(lane, async () => await read())
    // Statements of an unknown duration run alone, and pipelining begins when a statement finds no connection.
    while (sentBehind() === 0) await Promise.all(Array.from({ length: 20 }, () => readIn('web')))
    const gate = await closeGate(server)
    const blocked = [1, 2].map(() => runInLane('jobs', async () => await run(AT_THE_GATE)))
    await waitUntil(() => stats().lanes?.jobs?.active === 2, { what: 'jobs have their half' })
    const jobs = Array.from({ length: 30 }, () => readIn('jobs'))
    const before = sentBehind()
    while (sentBehind() === before) await Promise.all(Array.from({ length: 20 }, () => readIn('web')))
    expect(stats().lanes).toMatchObject({ jobs: { waiting: 30 }, web: { active: 0, waiting: 0 } })
    await gate.open()
    await Promise.all([...blocked, ...jobs])
  })
})

/** Each ORM runs one query and one transaction. */
const orms: Readonly<Record<string, (options: { name: string; lanes: LanesOptions }) => Promise<Orm>>> = {
  'Drizzle on pg': async (options) => {
    const db = drizzlePg({ connection: { url: server.url, ...options } })
    return { use: () => useDrizzle(db), end: () => db.$client.end() }
  },
  'Drizzle on postgres.js': async (options) => {
    const db = drizzlePostgresJs({ connection: { url: server.url, ...options } })
    return { use: () => useDrizzle(db), end: () => db.$client.end() }
  },
  TypeORM: async (options) => {
    const source = new DataSource(guardDataSource({ type: 'postgres', url: server.url }, options))
    await source.initialize()
    return {
      use: async () => {
        await source.query('select 1')
        await source.transaction((manager) => manager.query('select 1'))
      },
      end: () => source.destroy(),
    }
  },
  Prisma: async (options) => {
    const prisma = new PrismaClient({ adapter: new PrismaPg({ url: server.url, ...options }) })
    return {
      use: async () => {
        await prisma.$queryRaw`select 1`
        await prisma.$transaction(async (tx) => await tx.$queryRaw`select 1`)
      },
      end: () => prisma.$disconnect(),
    }
  },
}

interface Orm {
  use(): Promise<void>
  end(): Promise<unknown>
}

interface DrizzleDb {
  execute(query: SQL): PromiseLike<unknown>
  transaction(work: (tx: Pick<DrizzleDb, 'execute'>) => Promise<void>): Promise<void>
}

async function useDrizzle(db: DrizzleDb): Promise<void> {
  await db.execute(sql`select 1`)
  await db.transaction(async (tx) => void (await tx.execute(sql`select 1`)))
}

test.each(Object.entries(orms))('queries and transactions of %s are in the lane of runInLane', async (orm, open) => {
  const name = `lanes of ${orm}`
  const { use, end } = await open({ name, lanes: LANES })
  onTestFinished(() => void end())
  const countIn = (lane: string) =>
    snapshotPools().find((pool) => pool.name === name)?.stats.lanes?.[lane]?.wait.count ?? 0
  await use()
  const before = [countIn('default'), countIn('jobs')]
  await runInLane('jobs', use)

  expect(before[1]).toBe(0)
  expect([countIn('default'), countIn('jobs')]).toEqual([before[0], 2])
})

describe('a route with a lane', () => {
  /** Jobs have one of two connections, and all of them wait at the gate. */
  const pool = { max: 2, lanes: { jobs: { max: 1 } }, pool: SETTINGS } as const

  async function floodJobs(get: (path: string) => Promise<Response>, stats: () => PoolStats): Promise<void> {
    const gate = await closeGate(server)
    const jobs = Array.from({ length: 5 }, () => get('/jobs'))
    await waitUntil(() => stats().lanes?.jobs?.waiting === 4, { what: 'all but one job wait' })
    expect(stats().lanes?.jobs).toMatchObject({ active: 1, waiting: 4 })
    expect((await get('/orders')).status).toBe(200)
    await waitUntil(() => stats().lanes?.jobs?.overloaded === true, { what: 'the lane is overloaded' })
    expect((await get('/jobs')).status, 'a job while its lane is overloaded').toBe(503)
    expect((await get('/orders')).status, 'an order meanwhile').toBe(200)
    await gate.open()

    expect((await Promise.all(jobs)).map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
  }

  test('on Fastify', async () => {
    const app = appWith({ pool: { url: server.url, ...pool }, shedLoad: true })
    app.get('/jobs', { config: { poolguard: { lane: 'jobs' } } }, async () => {
      await app.poolguard.pool.query(AT_THE_GATE)
      return 'done'
    })
    app.get('/orders', async () => (await app.poolguard.pool.query('select 1')).rows)
    const get = await serve(app)
    await get('/jobs')
    await floodJobs(get, () => app.poolguard.pool.snapshot().stats)
  })

  test('on Fastify with an invalid name is rejected', async () => {
    const app = appWith({ pool: { url: server.url, ...pool } })
    await app.after()
    const add = () => app.get('/jobs', { config: { poolguard: { lane: 'a b' } } }, async () => 'done')
    expect(add).toThrow('Invalid option config.poolguard.lane')
  })

  test.each(platforms)('on NestJS with %s', async (platform) => {
    class AppController {
      readonly #pool: GuardedPool

      constructor(injected: GuardedPool) {
        this.#pool = injected
      }

      async runJob(): Promise<unknown> {
        await this.#pool.query(AT_THE_GATE)
        return 'done'
      }

      async order(): Promise<unknown> {
        return (await this.#pool.query('select 1')).rows
      }
    }
    Controller()(AppController)
    InjectPool()(AppController, undefined, 0)
    route(AppController, 'runJob', Get('jobs'))
    route(AppController, 'runJob', DatabaseLane('jobs'))
    route(AppController, 'order', Get('orders'))
    const options = { url: server.url, ...pool, shedLoad: true }
    await using app = await startApp(platform, {
      imports: [PoolguardModule.forRoot(options)],
      controllers: [AppController],
    })
    const injected = app.app.get<GuardedPool>(getPoolToken())
    await app.get('/jobs')
    await floodJobs(
      (path) => app.get(path),
      () => injected.snapshot().stats,
    )
  })

  test.each(frameworks)('on %s with @poolguard/web', async (framework) => {
    const guarded = new GuardedPool({ url: server.url, ...pool })
    onTestFinished(() => guarded.end())
    const { get } = await startWebApp(framework, poolguardWeb({ shedLoad: true }), [
      { path: '/jobs', options: { lane: 'jobs' }, handle: async () => (await guarded.query(AT_THE_GATE)).rows },
      { path: '/orders', handle: async () => (await guarded.query('select 1')).rows },
    ])
    await get('/jobs')
    await floodJobs(get, () => guarded.snapshot().stats)
  })
})

test('a query of pg names its lane in an option', async () => {
  const pool = new GuardedPool({ url: server.url, max: 4, lanes: LANES })
  onTestFinished(() => pool.end())
  await pool.query({ text: 'select 1', lane: 'jobs' })
  expect(pool.snapshot().stats.lanes?.jobs?.wait.count).toBe(1)

  await expect(pool.query({ text: 'select 1', lane: 'job' })).rejects.toThrow(
    "Invalid option lane: 'job'. It takes one of the pool's lanes: web, jobs, default.",
  )
})

test('a query of pg that names its lane shares connections within that lane', async () => {
  const pool = new GuardedPool({ url: server.url, max: 2, lanes: { jobs: { max: 1 } }, pool: { pipeline: 'reads' } })
  onTestFinished(() => pool.end())
  await pool.query('select 1')
  const gate = await closeGate(server)
  const atGate = pool.query(AT_THE_GATE)
  await waitUntil(() => pool.counts.active === 1, { what: 'one connection is in use' })
  const job = () => pool.query({ text: 'select 1 as one', lane: 'jobs' })
  while (pool.snapshot().pipelining?.sentBehind === 0) await Promise.all(Array.from({ length: 20 }, job))
  expect(pool.snapshot().stats.lanes?.default?.active).toBe(1)
  await gate.open()
  await atGate
})

test("a transaction that waits for a second connection at its lane's max gets an error that names the lane", async () => {
  const pool = new GuardedPool({
    url: server.url,
    max: 4,
    lanes: { jobs: { max: 1 } },
    pool: { acquireTimeoutMillis: 2_500 },
  })
  onTestFinished(() => pool.end())
  const nested = withDeadlockDetection(async () => {
    const client = await pool.connect({ lane: 'jobs' })
    try {
      await client.query('begin')
      return await pool.query({ text: 'select 1', lane: 'jobs' })
    } finally {
      await client.query('rollback')
      client.release()
    }
  })

  await expect(nested).rejects.toThrow(AcquireTimeoutError)
  await expect(nested).rejects.toThrow(/lane "jobs": 1 of 1 active.* raise lanes\.jobs\.max/)
})

test('the lanes of a pool and their reasons are among its settings', () => {
  const pool = new GuardedPool({ url: server.url, max: 10, lanes: LANES })
  expect(pool.settings.lanes.map(({ name, max, reserve, reason }) => [name, max, reserve, reason])).toEqual([
    ['web', 10, 1, 'reserve given'],
    ['jobs', 5, 0, 'max is 50% of 10'],
    ['default', 10, 0, 'default'],
  ])
  expect(() => new GuardedPool({ url: server.url, lanes: { jobs: { max: '0%' } } })).toThrow(
    'Invalid option lanes.jobs.max',
  )
})
