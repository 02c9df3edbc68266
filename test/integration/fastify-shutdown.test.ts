import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { GuardedPool } from '@poolguard/pg'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { hasSignals, type PostgresServer, startPostgres, waitUntil } from '../harness/index.ts'
import { appWith, saturated, serve } from './fastify-app.ts'
import { AT_THE_GATE, closeGate } from './gate.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres({ maxConnections: 20 })
})
afterAll(() => server.stop())

test('given requests that are being served, when the app closes, then each is answered before the pool ends', async () => {
  const app = appWith({ pool: { url: server.url, name: 'orders', max: 2 } })
  let closedBefore: boolean | undefined
  app.register(async (later) => {
    later.get('/slow', async () => {
      const { rows } = await app.poolguard.pool.query(AT_THE_GATE)
      // A second checkout, when the app is closing already.
      await app.poolguard.pool.query('select 1')
      return rows
    })
    later.addHook('onClose', async () => {
      closedBefore = app.poolguard.pool.closed
    })
  })
  const get = await serve(app)
  await app.poolguard.pool.ready()
  const gate = await closeGate(server)
  const slow = Array.from({ length: 6 }, () => get('/slow'))
  await saturated(app, 2, 4)

  const closing = app.close()
  expect(app.poolguard.pool.closed).toBe(false)
  await gate.open()
  const answers = await Promise.all(slow)
  expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200))
  await closing
  expect([closedBefore, app.poolguard.pool.closed]).toEqual([false, true])
  await waitUntil(async () => (await server.connectionCount()) === 0, { what: 'no connection is left' })
})

describe('given an app that gets a signal to stop', () => {
  test('when it goes on for a while, then readiness says that it drains, and the rest is served', async () => {
    const app = appWith({ pool: { url: server.url }, closeDelayMillis: 1_000 }, { return503OnClosing: false })
    app.get('/one', async () => (await app.poolguard.pool.query('select 1 as one')).rows)
    const get = await serve(app)
    const closing = app.close()
    const unready = async () => {
      const answer = await get('/readyz')
      return answer.status === 503 ? answer : undefined
    }
    const ready = await waitUntil(unready, { what: 'the app drains' })
    expect(await ready?.json()).toEqual({ status: 'draining' })
    expect((await get('/healthz')).status).toBe(200)
    expect(await (await get('/one')).json()).toEqual([{ one: 1 }])
    await closing
    await expect(get('/readyz')).rejects.toThrow()
  })

  test("when Fastify answers 503 itself, as it does by default, then that is readiness' answer", async () => {
    const app = appWith({})
    const [left, leave] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    app.addHook('preClose', async () => {
      left.resolve()
      await leave.promise
    })
    const get = await serve(app)
    const closing = app.close()
    await left.promise
    expect((await get('/readyz')).status).toBe(503)
    leave.resolve()
    await closing
  })
})

describe('given a pool that was handed in', () => {
  test.for([
    [false, 'goes on'],
    [true, 'is drained'],
  ] as const)('with closeOnShutdown %s, then it %s', async ([closeOnShutdown]) => {
    const pool = new GuardedPool({ url: server.url })
    onTestFinished(async () => void (pool.closed || (await pool.end())))
    const app = appWith({ pool, closeOnShutdown })
    await app.ready()
    await pool.query('select 1')
    await app.close()
    expect(pool.closed).toBe(closeOnShutdown)
  })

  test('by its owner already closed, then closing the app is no error', async () => {
    const pool = new GuardedPool({ url: server.url })
    const app = appWith({ pool, closeOnShutdown: true })
    await app.ready()
    await pool.end()
    await app.close()
  })
})

test('given no pool and closeOnShutdown, then every pool of the process is drained', async () => {
  const pool = new GuardedPool({ url: server.url })
  await pool.query('select 1')
  const app = appWith({ closeOnShutdown: true })
  await app.ready()
  await app.close()
  expect(pool.closed).toBe(true)
})

test('given an app that is made anew with the same pool, when the old one closes, then the new one keeps the pool', async () => {
  const pools = { orders: { url: server.url, max: 2 } }
  const [before, after] = [appWith({ pools }), appWith({ pools })]
  await before.ready()
  await after.ready()
  await before.close()
  const { orders } = after.poolguard.pools
  expect(before.poolguard.pools.orders).toBe(orders)
  expect((await orders?.query('select 1 as one'))?.rows).toEqual([{ one: 1 }])
  await after.close()
  expect(orders?.closed).toBe(true)
})

test.skipIf(!hasSignals)(
  'given a process under load, when SIGTERM comes, then no request that was being served is lost',
  async () => {
    const child = start()
    const address = await said(child, /listening at (\S+)/)
    const inFlight = Array.from({ length: 12 }, () => fetch(`${address}/work`))
    await said(child, /(serving\n){12}/)
    child.kill('SIGTERM')
    const answers = await Promise.all(inFlight)
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200))
    await once(child, 'close')
    expect(outputs.get(child)).toMatch(/closed\n$/)
    expect(child.exitCode).toBe(0)
    expect(await server.connectionCount()).toBe(0)
  },
)

const outputs = new Map<ChildProcess, string>()

function start(): ChildProcess {
  const program = fileURLToPath(new URL('fastify-shutting-down.ts', import.meta.url))
  const child = spawn(process.execPath, [program, server.url], { stdio: ['ignore', 'pipe', 'inherit'] })
  child.stdout?.on('data', (data) => outputs.set(child, (outputs.get(child) ?? '') + String(data)))
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function said(child: ChildProcess, what: RegExp): Promise<string | undefined> {
  const match = await waitUntil(() => what.exec(outputs.get(child) ?? ''), { what: String(what) })
  return match?.[1]
}
