import {
  type CallHandler,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Inject,
  UseGuards,
  VersioningType,
} from '@nestjs/common'
import { getPoolToken, PoolguardMetricsController, PoolguardModule } from '@poolguard/nestjs'
import { type GuardedPool, postgresSource } from '@poolguard/pg'
import { map } from 'rxjs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { makeModule, platforms, startApp } from './nestjs-app.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const authorized = { authorization: 'Bearer scrape' }
const COUNT = 'db_client_connection_count{db_client_connection_pool_name="orders"'
const one = () => ({ url: server.url, name: 'orders', pool: { max: 4 } })

/** The value of one series of a page. */
function seriesOf(page: string, series: string): number {
  const line = page.split('\n').find((each) => each.startsWith(`${series} `))
  return Number(line?.slice(series.length + 1))
}

describe.each(platforms)('given metrics on %s', (platform) => {
  test('when they are not asked for, then there is no route', async () => {
    await using running = await startApp(platform, { imports: [PoolguardModule.forRoot(one())] })
    expect((await running.get('/metrics')).status).toBe(404)
  })

  test("when connections are in use, then they tell what PostgreSQL's own view tells", async () => {
    await using running = await startApp(platform, { imports: [PoolguardModule.forRoot({ ...one(), metrics: true })] })
    const pool: GuardedPool = running.app.get(getPoolToken())
    await pool.ready()
    const clients = await Promise.all([pool.connect(), pool.connect(), pool.connect()])
    for (const client of clients) await client.query('begin')

    const page = await (await running.get('/metrics')).text()
    const count = (state: string) => seriesOf(page, `${COUNT},db_client_connection_state="${state}"}`)
    const open = await server.connectionCount()
    const used = await server.query("select from pg_stat_activity where state = 'idle in transaction'")
    expect([count('used'), count('used') + count('idle')]).toEqual([used.length, open])
    expect(used).toHaveLength(3)
    for (const client of clients) {
      await client.query('rollback')
      client.release()
    }
  })

  test('when a scraper accepts OpenMetrics, then it gets that, else the text format', async () => {
    await using running = await startApp(platform, { imports: [PoolguardModule.forRoot({ metrics: true })] })
    const plain = await running.get('/metrics')
    expect(plain.headers.get('content-type')).toMatch(/^text\/plain;/)
    expect(plain.headers.get('content-type')).toContain('version=0.0.4')
    const open = await running.get('/metrics', {
      accept: 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5',
    })
    expect(open.headers.get('content-type')).toMatch(/^application\/openmetrics-text;/)
    expect(open.headers.get('content-type')).toContain('version=1.0.0')
    expect(await open.text()).toMatch(/# EOF\n$/)
  })

  test('when they have a path, then they are there and nowhere else', async () => {
    const metrics = '/internal/metrics'
    for (const module of [
      PoolguardModule.forRoot({ ...one(), metrics }),
      PoolguardModule.forRootAsync({ useFactory: one, metrics: { path: metrics } }),
    ]) {
      await using running = await startApp(platform, { imports: [module] })
      expect((await running.get('/metrics')).status).toBe(404)
      expect((await running.get(metrics)).status).toBe(200)
    }
  })

  test('when they have sources, then what the server says is on the same page, from a controller of the app, too', async () => {
    class MetricsController extends PoolguardMetricsController {
      constructor() {
        super([postgresSource(server.adminUrl, { source: 'postgres' })])
      }
    }
    Controller('own')(MetricsController)
    const own = makeModule({ controllers: [MetricsController] })
    const sources = [postgresSource(server.adminUrl, { source: 'postgres' })]
    const module = PoolguardModule.forRoot({ ...one(), metrics: { sources } })
    await using running = await startApp(platform, { imports: [module, own] })
    await running.app.get<GuardedPool>(getPoolToken()).ready()
    for (const path of ['/metrics', '/own']) {
      const answer = await running.get(path)
      expect(answer.headers.get('cache-control')).toBe('no-store')
      const page = await answer.text()
      expect(seriesOf(page, 'poolguard_source_up{source="postgres"}')).toBe(1)
      expect(seriesOf(page, 'poolguard_server_max_connections{source="postgres"}')).toBe(20)
      expect(seriesOf(page, 'db_client_connection_max{db_client_connection_pool_name="orders"}')).toBe(4)
    }
  })

  test.for([
    ['sources[0]', { sources: ['postgresql://db/app'] }],
    ['path', { path: 5 }],
  ] as const)('when metrics.%s is invalid, then the error names it', async ([option, metrics]) => {
    const imports = [PoolguardModule.forRoot({ ...one(), metrics: metrics as never })]
    await expect(startApp(platform, { imports })).rejects.toThrow(`Invalid option metrics.${option}: `)
  })

  test('when a factory asks for the page, which Nest must know before, then the error says where that belongs', async () => {
    const late = PoolguardModule.forRootAsync({ useFactory: () => ({ ...one(), metrics: true }) })
    await expect(startApp(platform, { imports: [late] })).rejects.toThrow(
      'Invalid option metrics: true. It takes no value in the result of the factory',
    )
  })

  test("when the app has a controller of its own for them, then it has that one's path and guards", async () => {
    class TokenGuard implements CanActivate {
      readonly token: string
      constructor(token: string) {
        this.token = token
      }
      canActivate(context: ExecutionContext): boolean {
        return context.switchToHttp().getRequest().headers.authorization === this.token
      }
    }
    Inject('TOKEN')(TokenGuard, undefined, 0)
    class MetricsController extends PoolguardMetricsController {}
    Controller('own')(MetricsController)
    UseGuards(TokenGuard)(MetricsController)
    const own = makeModule({
      controllers: [MetricsController],
      providers: [{ provide: 'TOKEN', useValue: authorized.authorization }],
    })
    await using running = await startApp(platform, { imports: [PoolguardModule.forRoot(), own] })
    const statuses = [running.get('/metrics'), running.get('/own'), running.get('/own', authorized)]
    expect((await Promise.all(statuses)).map(({ status }) => status)).toEqual([404, 403, 200])
  })

  test('when the app has versions, a prefix, and wraps what its handlers return, then the page is as it is', async () => {
    const module = PoolguardModule.forRoot({ ...one(), metrics: true })
    await using running = await startApp(platform, { imports: [module] }, (app) => {
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
      app.setGlobalPrefix('api')
      app.useGlobalInterceptors({
        intercept: (_: unknown, next: CallHandler) => next.handle().pipe(map((data) => ({ data }))),
      })
    })
    await running.app.get<GuardedPool>(getPoolToken()).query('select 1')
    await waitUntil(async () => (await running.get('/metrics')).status === 200, { what: 'it answers' })
    expect(await (await running.get('/metrics')).text()).toMatch(/^# HELP db_client_connection_count/)
  })
})
