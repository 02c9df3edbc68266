import { setTimeout as sleep } from 'node:timers/promises'
import { DEFAULT_POOL_SETTINGS } from '@poolguard/core/adapter'
import { GuardedPool } from '@poolguard/pg'
import { attachDatabasePool } from '@vercel/functions'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  describeWithPgBouncer,
  hasSignals,
  type PostgresServer,
  startPgBouncer,
  startPostgres,
  startProxy,
  waitUntil,
} from '../harness/index.ts'
import { closeGate } from '../integration/gate.ts'
import { FreezableProcess } from './freezable-process.ts'
import { ImitatedLambda } from './imitated-lambda.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

const noConnectionIsLeft = () =>
  waitUntil(async () => (await server.connectionCount()) === 0, { what: 'no connection is left' })

/** Whether a statement waits for a lock. */
async function isWaiting(): Promise<boolean> {
  return (await server.query('select from pg_locks where not granted')).length > 0
}

/** The sessions whose client has left without a word until now, such as one that was killed. */
async function abandonedSessions(): Promise<number> {
  const [row] = await server.query<{ count: number }>(
    "select sessions_abandoned::int as count from pg_stat_database where datname = 'app'",
  )
  return row?.count ?? 0
}

describe.runIf(hasSignals)('on an imitation of AWS Lambda', () => {
  test('given a handler that closes idle connections, then an invocation leaves no connection, and nothing that runs', async () => {
    const before = await abandonedSessions()
    await using lambda = await ImitatedLambda.start('lambda-function.ts', { DATABASE_URL: server.url })
    for (let i = 0; i < 3; i++) {
      expect(await lambda.invoke({ closesIdle: true })).toEqual({ answer: 42, left: [] })
      expect(await server.connectionCount()).toBe(0)
    }
    expect(await lambda.shutDown()).toMatchObject({ signal: 'SIGKILL', output: '' })
    expect(await abandonedSessions()).toBe(before)
  })

  test('given an extension, when the environment shuts down, then SIGTERM closes the pool', async () => {
    const before = await abandonedSessions()
    const env = { DATABASE_URL: server.url, EXTENSION: 'yes' }
    await using lambda = await ImitatedLambda.start('lambda-function.ts', env)
    for (let i = 0; i < 3; i++) expect(await lambda.invoke({})).toMatchObject({ answer: 42 })
    expect(await server.connectionCount()).toBe(1)
    expect(await lambda.shutDown()).toMatchObject({ signal: 'SIGTERM', output: '' })
    await noConnectionIsLeft()
    expect(await abandonedSessions()).toBe(before)
  })

  test('given neither, when the environment shuts down, then its session is abandoned', async () => {
    const before = await abandonedSessions()
    await using lambda = await ImitatedLambda.start('lambda-function.ts', { DATABASE_URL: server.url })
    expect(await lambda.invoke({})).toEqual({ answer: 42, left: ['TCPSocketWrap'] })
    expect(await lambda.shutDown()).toMatchObject({ signal: 'SIGKILL' })
    await noConnectionIsLeft()
    expect(await abandonedSessions()).toBe(before + 1)
  })
})

describe.runIf(hasSignals)('given a freeze of a Lambda, then the next invocation succeeds when meanwhile', () => {
  test('PostgreSQL has ended the idle session', async () => {
    const url = `${server.url}?options=-c%20idle_session_timeout%3D1s`
    await using lambda = await ImitatedLambda.start('lambda-function.ts', { DATABASE_URL: url })
    expect(await lambda.invoke({})).toMatchObject({ answer: 42 })
    await noConnectionIsLeft()
    expect(server.log()).toContain('due to idle-session timeout')
    expect(await lambda.invoke({})).toMatchObject({ answer: 42 })
  })

  test('a firewall has forgotten the connection', async () => {
    await using proxy = await startProxy({ target: server })
    await using lambda = await ImitatedLambda.start('lambda-function.ts', { DATABASE_URL: proxy.urlFor(server.url) })
    expect(await lambda.invoke({})).toMatchObject({ answer: 42 })
    proxy.forget()
    // As firewalls forget a connection only after minutes, it is certainly one that the pool validates.
    await sleep(2 * DEFAULT_POOL_SETTINGS.validateAfterIdleMillis)
    expect(await lambda.invoke({})).toMatchObject({ answer: 42 })
    expect(proxy.accepted).toBe(2)
  })
})

const describePooler = await describeWithPgBouncer('1.24')
describePooler('given a freeze of a Lambda behind PgBouncer 1.24', () => {
  test.runIf(hasSignals)('when PgBouncer has closed the idle client, then the next invocation succeeds', async () => {
    const settings = { client_idle_timeout: 1 }
    await using pgBouncer = await startPgBouncer({ version: '1.24', upstream: server, settings })
    await using lambda = await ImitatedLambda.start('lambda-function.ts', { DATABASE_URL: pgBouncer.url })
    expect(await lambda.invoke({})).toMatchObject({ answer: 42 })
    await waitUntil(() => pgBouncer.log().includes('client_idle_timeout'), { what: 'PgBouncer has closed the client' })
    expect(await lambda.invoke({})).toMatchObject({ answer: 42 })
  })
})

describe.runIf(hasSignals)('on an imitation of Cloud Run', () => {
  test('given no CPU between requests, then the next one is answered, and SIGTERM closes the pool after the request in flight', async () => {
    const before = await abandonedSessions()
    const url = `${server.url}?options=-c%20idle_session_timeout%3D1s`
    await using service = new FreezableProcess('cloud-run-service.ts', { DATABASE_URL: url })
    const port = await waitUntil(() => /port (\d+)/.exec(service.output)?.[1], { what: 'the service listens' })
    const get = async (path: string) => {
      // A connection that stayed open would delay the end of the service.
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })
      return response.text()
    }
    expect(await get('/')).toBe('42')
    service.freeze()
    await noConnectionIsLeft()
    const answer = get('/')
    service.thaw()
    expect(await answer).toBe('42')

    const gate = await closeGate(server)
    const inFlight = get('/slow')
    await waitUntil(isWaiting, { what: 'the query waits at the gate' })
    service.kill('SIGTERM')
    await waitUntil(
      () =>
        get('/').then(
          () => false,
          () => true,
        ),
      { what: 'the service accepts no request' },
    )
    await gate.open()
    expect(await inFlight).toBe('42')
    expect(await service.end()).toMatchObject({ signal: 'SIGTERM' })
    expect(await abandonedSessions()).toBe(before)
  })
})

describe('on Vercel', () => {
  test('attachDatabasePool takes a GuardedPool, and keeps the function alive for its idle timeout', async () => {
    vi.stubEnv('VERCEL_URL', 'app.vercel.app').stubEnv('VERCEL_REGION', 'iad1')
    const context = Symbol.for('@vercel/request-context')
    const kept: Promise<unknown>[] = []
    vi.stubGlobal(context as never, { get: () => ({ waitUntil: (promise: Promise<unknown>) => kept.push(promise) }) })
    onTestFinished(() => void vi.unstubAllEnvs().unstubAllGlobals())
    const pool = new GuardedPool({ url: server.url, pool: { idleTimeoutMillis: 300 } })
    attachDatabasePool(pool)
    await pool.query('select 1')
    expect(kept).toHaveLength(1)
    await Promise.all(kept)
    await noConnectionIsLeft()
    await pool.end()
  })

  test.each([
    [{ preset: 'serverless' }, 5_000],
    [{}, DEFAULT_POOL_SETTINGS.idleTimeoutMillis],
    [{ pool: { idleTimeoutMillis: 300 } }, 300],
    // At once, where 0 would mean never.
    [{ pool: { idleTimeoutMillis: 0 } }, 1],
    [{ idleTimeoutMillis: 400 }, 400],
    [{ idleTimeoutMillis: 0 }, 0],
  ] as const)(
    'the options of a pool with %o have its idle timeout of %i ms, which attachDatabasePool reads',
    (options, idleTimeoutMillis) => {
      expect(new GuardedPool({ url: server.url, ...options }).options).toMatchObject({ idleTimeoutMillis })
    },
  )
})
