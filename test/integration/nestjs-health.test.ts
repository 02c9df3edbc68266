import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { Controller, Get, Inject } from '@nestjs/common'
import { HealthCheck, type HealthCheckResult, HealthCheckService, TerminusModule } from '@nestjs/terminus'
import { getPoolToken, InjectPool, PoolguardModule } from '@poolguard/nestjs'
import { PoolguardHealthIndicator } from '@poolguard/nestjs/terminus'
import type { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'
import { makeModule, platforms, route, startApp } from './nestjs-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

class HealthController {
  readonly #health: HealthCheckService
  readonly #pools: PoolguardHealthIndicator

  constructor(health: HealthCheckService, pools: PoolguardHealthIndicator) {
    this.#health = health
    this.#pools = pools
  }

  live(): Promise<HealthCheckResult> {
    return this.#health.check([])
  }

  ready(): Promise<HealthCheckResult> {
    return this.#health.check([() => this.#pools.isHealthy('pools', { details: true })])
  }

  readyForAll(): Promise<HealthCheckResult> {
    return this.#health.check([() => this.#pools.isHealthy('pools')])
  }
}
Controller()(HealthController)
Inject(HealthCheckService)(HealthController, undefined, 0)
Inject(PoolguardHealthIndicator)(HealthController, undefined, 1)
route(HealthController, 'live', Get('live'))
route(HealthController, 'live', HealthCheck())
route(HealthController, 'ready', Get('ready'))
route(HealthController, 'ready', HealthCheck())
route(HealthController, 'readyForAll', Get('ready-for-all'))
route(HealthController, 'readyForAll', HealthCheck())

/** Requests that are answered when the gate opens. */
class OrdersController {
  readonly #pool: GuardedPool

  constructor(pool: GuardedPool) {
    this.#pool = pool
  }

  async list(): Promise<unknown> {
    return (await this.#pool.query(AT_THE_GATE)).rows
  }
}
Controller()(OrdersController)
InjectPool()(OrdersController, undefined, 0)
route(OrdersController, 'list', Get('orders'))

const health = () =>
  makeModule({
    imports: [TerminusModule],
    controllers: [HealthController],
    providers: [PoolguardHealthIndicator],
  })

/** What holds only over time is out of the way, so that each moment has one verdict. */
const never = { warning: Infinity, critical: Infinity }
const thresholds = { waiters: { warning: 2, critical: 4 }, activeShare: never, meanWaitMillis: never }

/** Terminus 11 knows no `degraded`. */
const impaired = process.env.NEST_MAJOR === '11' ? ['up', 'ok'] : ['degraded', 'degraded']

describe.each(platforms)('given a readiness route of Terminus on %s', (platform) => {
  test('when requests saturate the pool, then it is not ready and says why, is still alive, and recovers', async () => {
    const pools = PoolguardModule.forRoot({
      url: server.url,
      name: 'orders',
      pool: { max: 2 },
      thresholds: { activeShare: never, meanWaitMillis: never },
      recoveryMillis: 50,
    })
    const controllers = [OrdersController]
    await using running = await startApp(platform, { imports: [pools, health()], controllers })
    const pool: GuardedPool = running.app.get(getPoolToken())
    await pool.ready()
    const gate = await closeGate(server)
    const requests = Array.from({ length: 22 }, () => running.get('/orders'))
    await waitUntil(() => pool.counts.active === 2 && pool.waitingCount === 20, { what: 'twenty requests wait' })

    const unready = await running.get('/ready')
    const told = (await unready.json()) as HealthCheckResult
    expect([unready.status, told.error]).toMatchObject([
      503,
      { pools: { status: 'down', pools: [{ reasons: ['20 callers wait (critical from 20)'] }] } },
    ])
    expect((await running.get('/live')).status).toBe(200)

    await gate.open()
    expect((await Promise.all(requests)).map(({ status }) => status)).toEqual(Array(22).fill(200))
    await waitUntil(async () => (await running.get('/ready')).status === 200, { what: 'it is ready again' })
  })

  test('when callers wait for a connection, then it says so with the reason, and recovers', async () => {
    const pools = PoolguardModule.forRoot({
      url: server.url,
      name: 'orders',
      pool: { max: 2 },
      // On a slow machine the test's own pauses would be a finding.
      insight: false,
      thresholds,
      recoveryMillis: 50,
    })
    await using running = await startApp(platform, { imports: [pools, health()] })
    const pool: GuardedPool = running.app.get(getPoolToken())
    await pool.ready()
    const answer = async () => {
      const response = await running.get('/ready')
      const { status, details } = (await response.json()) as HealthCheckResult
      return [response.status, status, details.pools]
    }
    const told = (status: string, judged: string, reasons: string[]) => ({
      status,
      pools: [{ name: 'orders', status: judged, reasons }],
    })
    expect(await answer()).toEqual([200, 'ok', told('up', 'healthy', [])])

    const clients = await Promise.all([pool.connect(), pool.connect()])
    const waiting = [pool.query('select 1'), pool.query('select 1')]
    await waitUntil(() => pool.waitingCount === 2, { what: 'two wait' })
    const reasons = ['2 callers wait (warning from 2)']
    expect(await answer()).toEqual([200, impaired[1], told(`${impaired[0]}`, 'warning', reasons)])

    waiting.push(pool.query('select 1'), pool.query('select 1'))
    await waitUntil(() => pool.waitingCount === 4, { what: 'four wait' })
    expect(await answer()).toEqual([503, 'error', told('down', 'critical', ['4 callers wait (critical from 4)'])])
    const brief = await running.get('/ready-for-all')
    expect([brief.status, await brief.json()]).toMatchObject([503, { details: { pools: { status: 'down' } } }])
    expect(await (await running.get('/ready-for-all')).text()).not.toContain('orders')

    for (const client of clients) client.release()
    await Promise.all(waiting)
    const better = ['0 callers wait, recovering from critical']
    expect(await answer()).toEqual([503, 'error', told('down', 'critical', better)])
    await waitUntil(async () => (await running.get('/ready')).status === 200, { what: 'it is ready again' })
    expect(await answer()).toEqual([200, 'ok', told('up', 'healthy', [])])
  })

  test('when every connection is in use for the whole window and callers wait, then by default that is critical', async () => {
    const pools = PoolguardModule.forRoot({
      url: server.url,
      name: 'orders',
      pool: { max: 2 },
      windowMillis: 100,
      recoveryMillis: 100,
    })
    await using running = await startApp(platform, { imports: [pools, health()] })
    const pool: GuardedPool = running.app.get(getPoolToken())
    await pool.ready()
    const clients = await Promise.all([pool.connect(), pool.connect()])
    const queries = Array.from({ length: 5 }, () => pool.query('select 1'))
    await waitUntil(async () => (await running.get('/ready')).status === 503, { what: 'it is not ready' })
    expect(await (await running.get('/ready')).json()).toMatchObject({
      error: {
        pools: { pools: [{ reasons: expect.arrayContaining([expect.stringMatching(/^\d+ % of max are in use/)]) }] },
      },
    })
    for (const client of clients) client.release()
    await Promise.all(queries)
    await waitUntil(async () => (await running.get('/ready')).status === 200, { what: 'it is ready again' })
  })
})

test('given neither Terminus nor pg, then the module still loads, and observes', async () => {
  const program = fileURLToPath(new URL('nestjs-without-peers.ts', import.meta.url))
  const resolution = process.env.NEST_REGISTER ? ['--import', process.env.NEST_REGISTER] : []
  const child = spawn(process.execPath, [...resolution, program], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [said, [status]] = await Promise.all([text(child.stdout), once(child, 'close')])
  expect([said.trim(), status]).toEqual(['healthy, and there is no Terminus', 0])
})

test('given the types, then the key is typed', () => {
  expectTypeOf<PoolguardHealthIndicator>().toHaveProperty('isHealthy')
  const check = (pools: PoolguardHealthIndicator) => pools.isHealthy('pools')
  expectTypeOf(check).returns.toHaveProperty('pools')
})
