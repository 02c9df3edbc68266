import {
  type CallHandler,
  Controller,
  Get,
  Inject,
  type NestInterceptor,
  Param,
  Post,
  VersioningType,
} from '@nestjs/common'
import { APP_INTERCEPTOR, ExternalContextCreator } from '@nestjs/core'
import { asyncContextIsCheap } from '@poolguard/core/adapter'
import { getPoolToken, InjectPool, Poolguard, PoolguardModule } from '@poolguard/nestjs'
import type { GuardedPool } from '@poolguard/pg'
import { defer, delay } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { makeModule, type Platform, platforms, route, startApp } from './nestjs-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

class OrdersController {
  readonly #pool: GuardedPool

  constructor(pool: GuardedPool) {
    this.#pool = pool
  }

  async find(id: string): Promise<unknown> {
    await Promise.resolve()
    return (await this.#pool.query('select $1::int as id', [id])).rows[0]
  }

  create(): Promise<unknown> {
    return this.find('1')
  }

  /** Nest subscribes to the returned Observable later. */
  stream(): unknown {
    return defer(() => this.find('2'))
  }
}
Controller('orders')(OrdersController)
InjectPool()(OrdersController, undefined, 0)
route(OrdersController, 'find', Get(':id'), Param('id'))
route(OrdersController, 'create', Post())
route(OrdersController, 'stream', Get('stream/all'))

/** One of the app's own, that lets time pass. */
class SlowInterceptor implements NestInterceptor {
  intercept(_context: unknown, next: CallHandler): ReturnType<NestInterceptor['intercept']> {
    return next.handle().pipe(delay(1))
  }
}

function startOrders(platform: Platform, labels?: boolean) {
  const single = { url: server.url, name: 'orders', ...(labels !== undefined && { labels }) }
  const slow = makeModule({ providers: [{ provide: APP_INTERCEPTOR, useClass: SlowInterceptor }] })
  const imports = [slow, PoolguardModule.forRoot(single)]
  return startApp(platform, { imports, controllers: [OrdersController] }, (app) => {
    app.setGlobalPrefix('api')
    app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
  })
}

describe.each(platforms)('given requests on %s', (platform) => {
  test('when handlers ask for connections, then their waits are labelled with the pattern of the route', async () => {
    await using running = await startOrders(platform, true)
    const pool: GuardedPool = running.app.get(getPoolToken())
    await pool.ready()
    const paths = ['/api/v1/orders/1', '/api/v1/orders/2', '/api/v1/orders/3', '/api/v1/orders/stream/all']
    const answers = await Promise.all(paths.map((path) => running.get(path)))
    expect(await Promise.all(answers.map((answer) => answer.json()))).toEqual([
      { id: 1 },
      { id: 2 },
      { id: 3 },
      { id: 2 },
    ])
    expect((await fetch(new URL('/api/v1/orders', running.url), { method: 'POST' })).status).toBe(201)
    await pool.query('select 1')

    const waits = Object.entries(pool.snapshot().stats.waitByLabel)
    expect(waits.map(([label, { count }]) => [label, count]).toSorted()).toEqual([
      ['GET /api/v1/orders/:id', 3],
      ['GET /api/v1/orders/stream/all', 1],
      ['POST /api/v1/orders', 1],
    ])
  })

  test.for([
    [false, false],
    [undefined, asyncContextIsCheap],
  ] as const)('when labels is %s, then there are labels: %s', async ([labels, labelled]) => {
    await using running = await startOrders(platform, labels)
    await running.get('/api/v1/orders/1')
    const [pool] = running.app.get(Poolguard).snapshots()
    expect(Object.keys(pool?.stats.waitByLabel ?? {})).toEqual(labelled ? ['GET /api/v1/orders/:id'] : [])
  })
})

test("given a handler that no route has called, as GraphQL's resolvers, then it goes by its own name", async () => {
  class OrdersResolver {
    readonly #pool: GuardedPool
    constructor(pool: GuardedPool) {
      this.#pool = pool
    }
    async orders(): Promise<unknown> {
      return (await this.#pool.query('select 1 as one')).rows[0]
    }
  }
  Inject(getPoolToken())(OrdersResolver, undefined, 0)
  const imports = [PoolguardModule.forRoot({ url: server.url, name: 'orders', labels: true })]
  await using running = await startApp('express', { imports, providers: [OrdersResolver] })
  const resolver = running.app.get(OrdersResolver)
  // What @nestjs/graphql makes its resolvers with.
  const orders = running.app
    .get(ExternalContextCreator)
    .create(resolver, resolver.orders, 'orders', undefined, undefined, undefined, undefined, undefined, 'graphql')
  expect(await orders()).toEqual({ one: 1 })
  const [pool] = running.app.get(Poolguard).snapshots()
  expect(Object.keys(pool?.stats.waitByLabel ?? {})).toEqual(['OrdersResolver.orders'])
})
