import manifest from 'fastify/package.json' with { type: 'json' }
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { appWith, serve } from './fastify-app.ts'
import { RunningStatements } from './running-statements.ts'

/** Since Fastify 5.8. */
const HAS_HANDLER_TIMEOUT = Number(manifest.version.split('.')[1]) >= 8

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

describe('given requests on Fastify', () => {
  async function startFastify() {
    const app = appWith({ pool: { url: server.url, max: 2 } })
    const sleepWith = (mark: string, seconds: number) => async () =>
      (await app.poolguard.pool.query(`select pg_sleep(${seconds}), 1 as one /* ${mark} */`)).rows
    app.get('/slow', sleepWith('fastify slow', 600))
    app.get('/exempt', { config: { poolguard: { deadline: false } } }, sleepWith('fastify exempt', 0.5))
    app.get('/limited', { config: { poolguard: { deadline: 200 } } }, sleepWith('fastify limited', 600))
    app.get('/timed', { handlerTimeout: 200 }, sleepWith('fastify timed', 600))
    const get = await serve(app)
    return { app, get, url: app.listeningOrigin }
  }

  test('when a client disconnects, then its statement ends, unless the route is exempt', async () => {
    const { app, url } = await startFastify()
    await statements.disconnectDuring('fastify slow', `${url}/slow`)
    await statements.ended('fastify slow')
    await statements.disconnectDuring('fastify exempt', `${url}/exempt`)
    expect(await statements.count('fastify exempt')).toBe(1)
    await statements.ended('fastify exempt')

    await waitUntil(() => app.poolguard.pool.counts.active === 0, { what: 'the connections are released' })
    expect(app.poolguard.pool.snapshot().stats.closed).toBe(0)
  })

  test('when the time of a route has passed, then its statement ends, and the answer is 503', async () => {
    const { get } = await startFastify()
    const limited = await get('/limited')
    expect([limited.status, await limited.json()]).toEqual([
      503,
      expect.objectContaining({ code: 'POOLGUARD_DEADLINE' }),
    ])
    await statements.ended('fastify limited')
  })

  test.runIf(HAS_HANDLER_TIMEOUT)(
    'when the handlerTimeout of a route has passed, then its statement ends',
    async () => {
      const { get } = await startFastify()
      expect((await get('/timed')).status).toBe(503)
      await statements.ended('fastify timed')
    },
  )
})
