import { context, SpanStatusCode, type Tracer, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { InMemorySpanExporter, type ReadableSpan, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { runInLane } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { startPostgres, waitUntil } from '../harness/index.ts'

const exporter = new InMemorySpanExporter()

beforeEach(() => {
  exporter.reset()
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
})
afterEach(() => {
  trace.disable()
  context.disable()
})

const tracer = (): Tracer => trace.getTracer('test')

/** Runs the work below a span with this name. */
function below<T>(name: string, work: () => Promise<T>): Promise<T> {
  return tracer().startActiveSpan(name, async (span) => {
    try {
      return await work()
    } finally {
      span.end()
    }
  })
}

/** The waits, each with its parent's name. */
function waits(): readonly (ReadableSpan & { readonly parent: string | undefined })[] {
  const spans = exporter.getFinishedSpans()
  const nameOf = new Map(spans.map((span) => [span.spanContext().spanId, span.name]))
  return spans
    .filter(({ name }) => name === 'pool.acquire')
    .map((span) => Object.assign(span, { parent: nameOf.get(span.parentSpanContext?.spanId ?? '') }))
}

const secondsOf = ([seconds, nanos]: readonly [number, number]) => seconds + nanos / 1e9

function pgPool(options: ConstructorParameters<typeof GuardedPool>[0]): InstanceType<typeof GuardedPool> {
  const pool = new GuardedPool(options)
  onTestFinished(() => pool.end())
  return pool
}

async function pause(millis: number): Promise<void> {
  const until = performance.now() + millis
  await waitUntil(() => performance.now() > until, { what: `${millis} ms`, everyMillis: 5 })
}

/** Holds the only connection of a pool until `release`, which waits for this number of callers to wait for some time. */
async function holdOnly(pool: InstanceType<typeof GuardedPool>) {
  const client = await pool.connect()
  const release = async (callers: number) => {
    await waitUntil(() => pool.waitingCount === callers, { what: `${callers} waiting callers` })
    await pause(10)
    client.release()
  }
  return { release }
}

test('a caller that waits has a span below its own one, with pool and wait time', async () => {
  await using server = await startPostgres()
  const pool = pgPool({ url: server.url, name: 'orders', pool: { max: 1 } })
  await pool.ready()
  const { release } = await holdOnly(pool)
  const callers = ['GET /a', 'GET /b'].map((name) => below(name, () => pool.query('select 1')))
  await below('the holder', () => release(2))
  await Promise.all(callers)

  expect(waits().map(({ parent }) => parent)).toEqual(['GET /a', 'GET /b'])
  for (const { attributes, duration, status, events } of waits()) {
    expect(attributes).toEqual({
      'db.client.connection.pool.name': 'orders',
      'poolguard.wait_time': expect.closeTo(secondsOf(duration), 3),
    })
    expect(secondsOf(duration)).toBeGreaterThan(0.009)
    expect([status, events]).toEqual([{ code: SpanStatusCode.UNSET }, []])
  }
})

test('a caller that gets a connection at once has none', async () => {
  await using server = await startPostgres()
  const pool = pgPool({ url: server.url, pool: { max: 2 } })
  await pool.query('select 1')
  exporter.reset()
  for (const name of ['a', 'b', 'c']) await below(name, () => pool.query('select 1'))

  expect(waits()).toEqual([])
})

test('a wait in vain says why, and a wait in a lane names it', async () => {
  await using server = await startPostgres()
  const pool = pgPool({
    ...{ url: server.url, name: 'orders' },
    pool: { max: 2, acquireTimeoutMillis: 3_000 },
    lanes: { reports: { max: 1 } },
  })
  await pool.ready()
  const held = await runInLane('reports', () => pool.connect())
  exporter.reset()
  const error = await below('GET /report', () => runInLane('reports', () => pool.query('select 1'))).catch(String)
  held.release()

  const [wait] = waits()
  expect(waits()).toHaveLength(1)
  expect(wait?.parent).toBe('GET /report')
  expect(wait?.attributes).toMatchObject({ 'poolguard.lane': 'reports', 'error.type': 'AcquireTimeoutError' })
  expect(wait?.status.code).toBe(SpanStatusCode.ERROR)
  expect(error).toContain(wait?.status.message)
})

test('a wait that its caller gives up has the name of the reason', async () => {
  await using server = await startPostgres()
  const pool = pgPool({ url: server.url, pool: { max: 1 } })
  await pool.ready()
  const { release } = await holdOnly(pool)
  const giveUp = new AbortController()
  const caller = below('GET /', () => pool.connect({ signal: giveUp.signal }))
  await waitUntil(() => pool.waitingCount === 1, { what: 'the waiting caller' })
  await pause(5)
  giveUp.abort()
  await expect(caller).rejects.toThrow('aborted')
  await release(0)

  expect(waits().map(({ parent, attributes }) => [parent, attributes['error.type']])).toEqual([['GET /', 'AbortError']])
})

test('a statement that waits and is then pipelined has one', async () => {
  await using server = await startPostgres()
  const pool = pgPool({ url: server.url, pool: { max: 1, pipeline: 'reads' } })
  await pool.ready()
  const { release } = await holdOnly(pool)
  const callers = Array.from({ length: 20 }, (_, each) => below(`GET /${each}`, () => pool.query('select 1')))
  await release(20)
  await Promise.all(callers)

  expect(
    waits()
      .map(({ parent }) => parent)
      .toSorted(),
  ).toEqual(Array.from({ length: 20 }, (_, each) => `GET /${each}`).toSorted())
})

test('postgres.js: a query that waits has one', async () => {
  await using server = await startPostgres()
  const sql = guardPostgres(server.url, { name: 'js', pool: { max: 1 } })
  await sql`select 1`
  exporter.reset()
  const held = await sql.reserve()
  const caller = below('GET /', async () => await sql`select 2 as two`)
  await waitUntil(() => sql.snapshot().stats.waiting === 1, { what: 'the waiting query' })
  await pause(5)
  held.release()

  expect(await caller).toEqual([{ two: 2 }])
  expect(waits().map(({ parent, attributes }) => [parent, attributes['db.client.connection.pool.name']])).toEqual([
    ['GET /', 'js'],
  ])
  await sql.end()
})

test('an exception of the SDK does not take the connection from its caller', async () => {
  await using server = await startPostgres()
  const pool = pgPool({ url: server.url, pool: { max: 1 } })
  await pool.ready()
  trace.disable()
  const uncaught: unknown[] = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => uncaught.push(error))
  trace.setGlobalTracerProvider({
    getTracer() {
      throw new Error('broken SDK')
    },
  })
  const { release } = await holdOnly(pool)
  const caller = pool.query('select 1 as one')
  await release(1)

  expect((await caller).rows).toEqual([{ one: 1 }])
  await waitUntil(() => uncaught.length > 0, { what: 'the exception' })
  process.removeAllListeners('uncaughtException')
  for (const listener of listeners) process.on('uncaughtException', listener)
  expect(uncaught).toMatchObject([{ message: 'broken SDK' }])
})

test('without a registered tracer provider, waits go on as before', async () => {
  await using server = await startPostgres()
  const pool = pgPool({ url: server.url, pool: { max: 1 } })
  await pool.ready()
  trace.disable()
  const { release } = await holdOnly(pool)
  const caller = pool.query('select 1 as one')
  await release(1)

  expect((await caller).rows).toEqual([{ one: 1 }])
  expect(exporter.getFinishedSpans()).toEqual([])
})
