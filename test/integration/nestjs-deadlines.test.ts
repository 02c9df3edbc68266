import { Controller, Get } from '@nestjs/common'
import { DatabaseDeadline, InjectPool, PoolguardModule } from '@poolguard/nestjs'
import type { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type PostgresServer, startPostgres } from '../harness/index.ts'
import { platforms, route, startApp } from './nestjs-app.ts'
import { RunningStatements } from './running-statements.ts'

let server: PostgresServer
let statements: RunningStatements
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
  statements = await RunningStatements.watch(server)
})
afterAll(async () => {
  await statements?.[Symbol.asyncDispose]()
  await server?.stop()
})

class SlowController {
  readonly #pool: GuardedPool
  constructor(pool: GuardedPool) {
    this.#pool = pool
  }
  async slow(): Promise<unknown> {
    return (await this.#pool.query('select pg_sleep(600) /* nest slow */')).rows
  }
  async exempt(): Promise<unknown> {
    return (await this.#pool.query('select pg_sleep(0.5) /* nest exempt */')).rows
  }
  async limited(): Promise<unknown> {
    return (await this.#pool.query('select pg_sleep(600) /* nest limited */')).rows
  }
}
Controller()(SlowController)
InjectPool()(SlowController, undefined, 0)
route(SlowController, 'slow', Get('slow'))
route(SlowController, 'exempt', Get('exempt'))
route(SlowController, 'exempt', DatabaseDeadline(false))
route(SlowController, 'limited', Get('limited'))
route(SlowController, 'limited', DatabaseDeadline(200))

test.each(platforms)('given requests on NestJS with %s, then their statements end with them', async (platform) => {
  const module = PoolguardModule.forRoot({ url: server.url, name: `deadlines-${platform}`, max: 2 })
  await using started = await startApp(platform, { imports: [module], controllers: [SlowController] })
  await statements.disconnectDuring('nest slow', `${started.url}/slow`)
  await statements.ended('nest slow')
  await statements.disconnectDuring('nest exempt', `${started.url}/exempt`)
  expect(await statements.count('nest exempt')).toBe(1)
  await statements.ended('nest exempt')
  expect((await started.get('limited')).status).toBe(503)
  await statements.ended('nest limited')
})
