import { createRequire } from 'node:module'
import { context } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { PgInstrumentation } from '@opentelemetry/instrumentation-pg'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { guardPoolClass } from '@poolguard/pg'
import type pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startPostgres } from '../harness/index.ts'

const exporter = new InMemorySpanExporter()
const provider = new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] })
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
const instrumentation = new PgInstrumentation()
instrumentation.setTracerProvider(provider)
instrumentation.enable()
afterAll(() => instrumentation.disable())

// The instrumentation wraps each of the two when it sees it required.
const require = createRequire(import.meta.url)
const { Pool } = require('pg') as typeof pg
createRequire(require.resolve('pg'))('pg-pool')

/** The spans of a pool that is used in every way, each with the name of its parent. */
async function spansOf(pool: pg.Pool): Promise<string[]> {
  // Connections are there already: how many are opened, and when, is the pool's own affair.
  await pool.query('select 1')
  exporter.reset()
  const tracer = provider.getTracer('test')
  const under = async (name: string, work: () => Promise<unknown>) =>
    tracer.startActiveSpan(name, async (span) => {
      await work()
      span.end()
    })
  await under('query', () => pool.query('select 1'))
  await under('failing', () => pool.query('select nothing').catch(() => {}))
  await under('connect', async () => {
    const client = await pool.connect()
    await client.query('select 1')
    client.release()
  })
  await under('callback', () => new Promise<void>((resolve) => pool.query('select 1', () => resolve())))
  await pool.end()
  const spans = exporter.getFinishedSpans()
  const nameOf = new Map(spans.map((span) => [span.spanContext().spanId, span.name]))
  return spans
    .filter(({ name }) => name !== 'pg.connect')
    .map(({ name, parentSpanContext }) => `${nameOf.get(parentSpanContext?.spanId ?? '') ?? 'none'} > ${name}`)
    .sort()
}

test('given @opentelemetry/instrumentation-pg, then the spans are those of pg.Pool', async () => {
  await using server = await startPostgres()
  const GuardedPool = guardPoolClass(Pool)
  const guarded = new GuardedPool({ url: server.url, max: 1 })
  await guarded.ready()
  const ours = await spansOf(guarded)
  // Its end() does not wait for clients on their way out, which the server's end may overtake.
  const plain = new Pool({ connectionString: server.url, max: 1 }).on('error', () => {})
  const theirs = await spansOf(plain)
  expect(theirs).toContain('query > pg-pool.connect')
  expect(theirs).toContain('query > pg.query:SELECT app')
  expect(ours).toEqual(theirs)
})
