import { setTimeout as sleep } from 'node:timers/promises'
import { Controller, Get } from '@nestjs/common'
import { PoolOverloadedError } from '@poolguard/core'
import { getPoolToken, InjectPool, PoolguardModule, SkipLoadShedding } from '@poolguard/nestjs'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { appWith } from './fastify-app.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'
import { platforms, route, startApp } from './nestjs-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 30 })
})
afterAll(() => server.stop())

type Overload = 'wait' | 'shed'
const SLOW = 'select pg_sleep(0.02)'

/** Runs the statement through each driver, whose pools have two connections. */
const drivers = {
  pg: (overload: Overload) => {
    const pool = new GuardedPool({ url: server.url, max: 2, pool: { overload, maxWaiters: Infinity } })
    onTestFinished(() => pool.end())
    return { run: () => pool.query(SLOW), stats: () => pool.snapshot().stats }
  },
  'postgres.js': (overload: Overload) => {
    const sql = guardPostgres({ url: server.url, max: 2, pool: { overload, maxWaiters: Infinity } })
    onTestFinished(() => sql.end())
    return { run: () => sql.unsafe(SLOW), stats: () => sql.snapshot().stats }
  },
}

describe.each(Object.entries(drivers))('given %s', (_driver, open) => {
  test('when more callers arrive than the server can serve, then shed answers some soon and rejects the others', async () => {
    const { run, stats } = open('shed')
    await Promise.all([run(), run()])
    const answers: unknown[] = []
    const rejections: unknown[] = []
    const callers: Promise<unknown>[] = []
    // The rejections slow the arrivals down, so count them instead of the time.
    while (rejections.length < 200) {
      callers.push(
        run().then(
          (answer: unknown) => answers.push(answer),
          (error: unknown) => rejections.push(error),
        ),
      )
      await sleep(1)
    }
    await Promise.all(callers)

    expect(answers.length).toBeGreaterThan(10)
    for (const error of rejections) {
      expect(error).toBeInstanceOf(PoolOverloadedError)
      expect(error).toMatchObject({ code: 'POOLGUARD_OVERLOADED', reason: 'waited-too-long' })
      expect((error as PoolOverloadedError).retryAfterMillis).toBeGreaterThanOrEqual(1_000)
    }
    expect(stats()).toMatchObject({
      overloaded: false,
      timeouts: 0,
      closed: 0,
      shed: { 'waited-too-long': rejections.length },
    })
    await Promise.all([run(), run(), run(), run()])
  })

  test('when callers keep arriving within their deadlines, then wait answers each of them', async () => {
    const { run, stats } = open('wait')
    const callers = Array.from({ length: 20 }, async () => {
      for (let i = 0; i < 5; i++) await run()
    })
    await waitUntil(() => stats().overloaded, { what: 'the pool is overloaded' })
    await Promise.all(callers)

    expect(stats()).toMatchObject({
      overloaded: false,
      timeouts: 0,
      shed: { 'waited-too-long': 0, 'deadline-too-near': 0 },
    })
  })
})

test('given shedLoad: true, then Fastify rejects requests while a pool is overloaded, but not those of exempt routes', async () => {
  const app = appWith({ pool: { url: server.url, name: 'orders', max: 1 }, shedLoad: true, metrics: true })
  app.get('/slow', async () => (await app.poolguard.pool.query(AT_THE_GATE)).rows)
  app.get('/quick', async () => 'quick')
  app.get('/vital', { config: { poolguard: { shedLoad: false } } }, async () => 'vital')
  await app.ready()
  const { pool } = app.poolguard
  await pool.query('select 1')
  const gate = await closeGate(server)
  const slow = [app.inject('/slow'), app.inject('/slow')]
  await waitUntil(() => pool.counts.overloaded, { what: 'the pool is overloaded' })

  const shed = await app.inject('/quick')
  expect([shed.statusCode, shed.json().code]).toEqual([503, 'POOLGUARD_LOAD_SHED'])
  expect(Number(shed.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  expect((await app.inject('/vital')).body).toBe('vital')
  expect((await app.inject('/metrics')).body).toMatch(/^poolguard_overloaded\{.*\} 1$/m)
  await gate.open()
  expect((await Promise.all(slow)).map(({ statusCode }) => statusCode)).toEqual([200, 200])
  expect((await app.inject('/quick')).statusCode).toBe(200)
})

test('given a caller that the pool has rejected, then Fastify answers with the Retry-After of the error', async () => {
  const settings = { overload: 'shed', acquireTimeoutMillis: 60_000 } as const
  const app = appWith({ pool: { url: server.url, max: 1, pool: settings } })
  app.get('/slow', async () => (await app.poolguard.pool.query(AT_THE_GATE)).rows)
  await app.ready()
  await app.poolguard.pool.query('select 1')
  const gate = await closeGate(server)
  const first = app.inject('/slow')
  await waitUntil(() => app.poolguard.pool.counts.active === 1, { what: 'the connection is in use' })
  const answer = await app.inject('/slow')

  expect([answer.statusCode, answer.json()]).toEqual([
    503,
    {
      statusCode: 503,
      code: 'POOLGUARD_OVERLOADED',
      error: 'Service Unavailable',
      message: 'The service cannot reach its database in time. Try again later.',
    },
  ])
  expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  await gate.open()
  expect((await first).statusCode).toBe(200)
})

class LoadController {
  readonly #pool: GuardedPool
  constructor(pool: GuardedPool) {
    this.#pool = pool
  }
  async slow(): Promise<unknown> {
    return (await this.#pool.query(AT_THE_GATE)).rows
  }
  quick(): string {
    return 'quick'
  }
  vital(): string {
    return 'vital'
  }
}
Controller()(LoadController)
InjectPool()(LoadController, undefined, 0)
route(LoadController, 'slow', Get('slow'))
route(LoadController, 'quick', Get('quick'))
route(LoadController, 'vital', Get('vital'))
route(LoadController, 'vital', SkipLoadShedding())

test.each(platforms)(
  'given shedLoad on NestJS with %s, then requests are rejected while a pool is overloaded',
  async (platform) => {
    const module = PoolguardModule.forRoot({
      url: server.url,
      name: `nest-${platform}`,
      max: 1,
      shedLoad: true,
      metrics: true,
    })
    await using running = await startApp(platform, { imports: [module], controllers: [LoadController] })
    const pool: GuardedPool = running.app.get(getPoolToken())
    await pool.query('select 1')
    const gate = await closeGate(server)
    const slow = [running.get('slow'), running.get('slow')]
    await waitUntil(() => pool.counts.overloaded, { what: 'the pool is overloaded' })

    const shed = await running.get('quick')
    expect([shed.status, await shed.json()]).toEqual([503, expect.objectContaining({ code: 'POOLGUARD_LOAD_SHED' })])
    expect(Number(shed.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
    expect(await (await running.get('vital')).text()).toBe('vital')
    expect((await running.get('metrics')).status).toBe(200)
    await gate.open()
    expect((await Promise.all(slow)).map(({ status }) => status)).toEqual([200, 200])
    expect(await (await running.get('quick')).text()).toBe('quick')
  },
)
