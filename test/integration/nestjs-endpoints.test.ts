import {
  All,
  type CanActivate,
  Controller,
  Get,
  HttpException,
  type INestApplication,
  type Type,
  VersioningType,
} from '@nestjs/common'
import { getPoolToken, InjectPool, PoolguardModule } from '@poolguard/nestjs'
import type { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'
import { makeModule, type Platform, platforms, route, startApp } from './nestjs-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const adminToken = 'a-token-for-operators'
const bearer = { authorization: `Bearer ${adminToken}` }
const one = () => ({ url: server.url, name: 'orders', max: 1 })
const poolOf = (app: INestApplication): GuardedPool => app.get(getPoolToken())

class OrdersController {
  readonly #pool: GuardedPool
  constructor(pool: GuardedPool) {
    this.#pool = pool
  }
  async slow(): Promise<unknown> {
    return (await this.#pool.query(AT_THE_GATE)).rows
  }
  own(): never {
    throw new HttpException('mine', 502)
  }
}
Controller()(OrdersController)
InjectPool()(OrdersController, undefined, 0)
route(OrdersController, 'slow', Get('slow'))
route(OrdersController, 'own', Get('own'))

class NoOne implements CanActivate {
  canActivate(): boolean {
    return false
  }
}

/** Answers every path that no other route has. */
function pagesOn(platform: Platform): Type {
  class PagesController {
    page(): string {
      return 'a page of the app'
    }
  }
  Controller()(PagesController)
  route(PagesController, 'page', All(platform === 'express' ? '{*path}' : '*'))
  return PagesController
}

class OwnProbeController {
  health(): string {
    return 'of the app'
  }
}
Controller()(OwnProbeController)
route(OwnProbeController, 'health', Get('healthz'))

describe.each(platforms)('given the endpoints on %s', (platform) => {
  test('then guards, a prefix and versions of the app do not apply to them', async () => {
    const pools = PoolguardModule.forRoot({ ...one(), metrics: true, admin: true, adminToken })
    const metadata = { imports: [pools], controllers: [OrdersController] }
    await using running = await startApp(platform, metadata, (app) => {
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
      app.setGlobalPrefix('api')
      app.useGlobalGuards(new NoOne())
    })
    await poolOf(running.app).query('select 1')
    expect((await running.get('/api/v1/own')).status).toBe(403)
    const [health, ready] = [await running.get('/healthz'), await running.get('/readyz')]
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }])
    expect([ready.status, await ready.json()]).toEqual([200, { status: 'healthy' }])
    expect(ready.headers.get('cache-control')).toBe('no-store')
    expect(await (await running.get('/readyz', bearer)).json()).toMatchObject({ pools: [{ name: 'orders' }] })
    expect(await (await running.get('/metrics')).text()).toContain('db_client_connection_pool_name="orders"')
    const head = await fetch(`${running.url}/healthz`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])

    for (const headers of [{}, { authorization: 'Bearer wrong' }])
      expect((await running.get('/admin/db-pool-stats', headers)).status).toBe(401)
    const stats = await running.get('/admin/db-pool-stats', bearer)
    expect([stats.status, await stats.json()]).toMatchObject([
      200,
      { status: 'healthy', pools: [{ name: 'orders', stats: { max: 1 }, health: { status: 'healthy' } }] },
    ])
  })

  test('when the options come from a factory and a route of the app has a wildcard, then the endpoints come first', async () => {
    const pools = PoolguardModule.forRootAsync({
      useFactory: () => ({ ...one(), adminToken, windowMillis: 1_000 }),
      admin: '/pools',
      ready: false,
    })
    await using running = await startApp(platform, { imports: [pools], controllers: [pagesOn(platform)] })
    expect(await (await running.get('/readyz')).text()).toBe('a page of the app')
    expect(await (await running.get('/healthz')).json()).toEqual({ status: 'ok' })
    expect([(await running.get('/pools')).status, (await running.get('/pools', bearer)).status]).toEqual([401, 200])
  })

  test('when the app has a route of its own there, then the error names the option, or the endpoint is off', async () => {
    const own = makeModule({ controllers: [OwnProbeController] })
    const start = (health: boolean) =>
      startApp(platform, { imports: [PoolguardModule.forRoot({ ...one(), health }), own] })
    await expect(start(true)).rejects.toThrow("Invalid option health: '/healthz'. It takes another path, or false")
    await using running = await start(false)
    expect(await (await running.get('/healthz')).text()).toBe('of the app')
  })

  test('when a handler gets no connection in time, then the reply is 503, and other errors stay', async () => {
    const imports = [PoolguardModule.forRoot({ ...one(), pool: { acquireTimeoutMillis: 60 } })]
    await using running = await startApp(platform, { imports, controllers: [OrdersController] })
    const client = await waitUntil(
      () =>
        poolOf(running.app)
          .connect()
          .catch(() => undefined),
      { what: 'a connection' },
    )
    const busy = await running.get('/slow')
    client?.release()
    expect([busy.status, busy.headers.get('retry-after'), await busy.json()]).toEqual([
      503,
      '1',
      {
        statusCode: 503,
        code: 'POOLGUARD_UNAVAILABLE',
        error: 'Service Unavailable',
        message: 'The service cannot reach its database in time. Try again later.',
      },
    ])
    expect((await running.get('/own')).status).toBe(502)
  })

  test('when the app closes, then readiness says so, and requests in progress are answered first', async () => {
    const imports = [PoolguardModule.forRoot({ ...one(), closeDelayMillis: 300 })]
    const running = await startApp(platform, { imports, controllers: [OrdersController] })
    const pool = poolOf(running.app)
    await pool.ready()
    const gate = await closeGate(server)
    const slow = running.get('/slow')
    await waitUntil(() => pool.counts.active === 1, { what: 'the request is served' })

    const closed = running.app.close()
    const unready = async () => {
      const reply = await running.get('/readyz')
      return reply.status === 503 ? reply : undefined
    }
    const ready = await waitUntil(unready, { what: 'the app drains' })
    expect([await ready?.json(), ready?.headers.get('connection')]).toEqual([{ status: 'draining' }, 'close'])
    await gate.open()
    const reply = await slow
    expect([reply.status, reply.headers.get('connection')]).toEqual([200, 'close'])
    await closed
    expect(pool.closed).toBe(true)
  })
})
