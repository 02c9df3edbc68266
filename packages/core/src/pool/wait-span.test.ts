import { afterEach, describe, expect, test } from 'vitest'
import { Lane } from './lane.ts'
import { OverloadControl } from './overload-control.ts'
import { ManualClock, settled } from './testing/manual-clock.ts'
import { givenPool } from './testing/pool-under-test.ts'
import { WaitSpan } from './wait-span.ts'

const REGISTERED: unique symbol = Symbol.for('opentelemetry.js.api.1')

interface RecordedSpan {
  readonly tracer: string
  readonly name: string
  readonly startTime: number
  readonly context: unknown
  readonly attributes: Record<string, string | number>
  status?: { readonly code: number; readonly message: string }
  endTime?: number
}

const spans: RecordedSpan[] = []
let context: unknown

/** Registers a tracer provider as the app's SDK does; its spans are in `spans`. */
function registerTracing(api: object = { trace: provider, context: { active: () => context } }): void {
  Object.assign(globalThis, { [REGISTERED]: api })
}

const provider = {
  getTracer: (tracer: string) => ({
    startSpan(
      name: string,
      { startTime, attributes }: Pick<RecordedSpan, 'startTime' | 'attributes'>,
      parent: unknown,
    ) {
      const span: RecordedSpan = { tracer, name, startTime, context: parent, attributes: { ...attributes } }
      spans.push(span)
      return {
        setAttribute: (key: string, value: string) => Object.assign(span.attributes, { [key]: value }),
        setStatus: (status: { code: number; message: string }) => Object.assign(span, { status }),
        end: (endTime: number) => Object.assign(span, { endTime }),
      }
    },
  }),
}

afterEach(() => {
  Reflect.deleteProperty(globalThis, REGISTERED)
  spans.length = 0
  context = undefined
})

function givenExhaustedPool(options: Parameters<typeof givenPool>[1] = {}) {
  const given = givenPool({ max: 1, acquireTimeoutMillis: 100 }, options)
  return { ...given, first: given.pool.acquire() }
}

describe('the span of a wait', () => {
  test('given a caller that waits, then it has the pool, the time of the wait, and the context of the caller', async () => {
    registerTracing()
    const { pool, clock, first } = givenExhaustedPool()
    const lease = await first
    context = 'the request'
    const waiting = pool.acquire()
    context = 'another request'
    await clock.advance(20)
    lease.release()
    await waiting
    await settled()

    expect(spans).toEqual([
      {
        tracer: 'poolguard',
        name: 'pool.acquire',
        startTime: expect.any(Number),
        context: 'the request',
        attributes: { 'db.client.connection.pool.name': 'app', 'poolguard.wait_time': 0.02 },
        endTime: (spans[0]?.startTime ?? 0) + 20,
      },
    ])
  })

  test('given a caller whose time runs out, then it has the error', async () => {
    registerTracing()
    const { pool, clock, first } = givenExhaustedPool()
    await first
    const error = pool.acquire().catch((thrown: unknown) => thrown)
    await clock.advance(100)
    await settled()

    expect(spans).toMatchObject([
      {
        attributes: { 'error.type': 'AcquireTimeoutError', 'poolguard.wait_time': 0.1 },
        status: { code: 2, message: ((await error) as Error).message },
      },
    ])
  })

  test('given lanes, then it has the lane of the caller', async () => {
    registerTracing()
    const { pool, clock, first } = givenExhaustedPool({ lanes: { api: {}, jobs: {} } })
    const lease = await first
    const waiting = pool.acquire({ lane: 'jobs' })
    await clock.advance(20)
    lease.release()
    await waiting
    await settled()

    expect(spans).toMatchObject([{ attributes: { 'poolguard.lane': 'jobs' } }])
  })

  test('given a wait of at most a millisecond, then there is none', async () => {
    registerTracing()
    const { pool, clock, first } = givenExhaustedPool()
    const lease = await first
    const waiting = pool.acquire()
    await clock.advance(1)
    lease.release()
    await waiting
    await settled()

    expect(spans).toEqual([])
  })

  test('given an SDK without a context manager, then it has no context', async () => {
    registerTracing({ trace: provider })
    const { pool, clock, first } = givenExhaustedPool()
    const lease = await first
    const waiting = pool.acquire()
    await clock.advance(20)
    lease.release()
    await waiting
    await settled()

    expect(spans).toMatchObject([{ context: undefined }])
  })
})

describe('a span of its own', () => {
  const lane = new Lane(new OverloadControl({ isAtLimit: () => false, connections: () => 0, random: () => 0 }))
  const begin = (clock: ManualClock) => WaitSpan.begin('app', lane, clock)

  test('does not exist unless the app has registered a tracer provider', () => {
    expect(begin(new ManualClock())).toBeUndefined()
    registerTracing({})
    expect(begin(new ManualClock())).toBeUndefined()
    registerTracing()
    expect(begin(new ManualClock())).toBeInstanceOf(WaitSpan)
  })

  test('given a promise, then its caller gets the value or the error, and the span ends with it', async () => {
    registerTracing()
    const clock = new ManualClock()
    const [succeeding, failing] = [Promise.withResolvers<string>(), Promise.withResolvers<string>()]
    const value = begin(clock)?.endWith(succeeding.promise)
    const error = begin(clock)?.endWith(failing.promise)
    clock.skip(5)
    succeeding.resolve('a lease')
    failing.reject('no Error at all')

    await expect(value).resolves.toBe('a lease')
    await expect(error).rejects.toBe('no Error at all')
    await settled()
    expect(spans.map(({ attributes, status }) => [attributes['error.type'], status])).toEqual([
      [undefined, undefined],
      ['Error', { code: 2, message: 'no Error at all' }],
    ])
  })
})
