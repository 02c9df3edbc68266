import { getEventListeners } from 'node:events'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { settled } from '../pool/testing/manual-clock.ts'
import { givenPipeline, type PipelineUnderTest, type TestStatement } from './testing/pipeline-under-test.ts'

/** One connection on which a fast statement is running. */
async function givenBusyPipeline(settings = {}): Promise<PipelineUnderTest & { head: TestStatement }> {
  const given = givenPipeline({ max: 1, ...settings })
  given.teach('fast', 1)
  const head = given.run('fast')
  await settled()
  return { ...given, head }
}

describe('given a connection that is idle or may be opened', () => {
  test('then each statement gets one of its own', async () => {
    const given = givenPipeline({ max: 2 })
    given.teach('fast', 1)
    const [first, second] = [given.run('fast'), given.run('fast')]
    await settled()
    expect(first.connection).not.toBe(second.connection)
    expect(given.pipeline.stats).toMatchObject({ sentBehind: 0, inFlight: 2 })
  })
})

describe('given all connections in use', () => {
  test('then a fast statement is sent behind a fast one, and the lease passes on', async () => {
    const { pool, pipeline, clock, run, head } = await givenBusyPipeline()
    const second = run('fast')
    expect(second.connection).toBe(head.connection)
    expect(second.isBehind).toBe(true)
    await clock.advance(2)
    head.answer()
    expect(pool.stats()).toMatchObject({ active: 1, acquired: 2, leasedMillis: 2, longestLeaseMillis: 0 })
    expect(pool.stats().wait.sumMillis).toBe(2)
    await clock.advance(1)
    second.answer()
    expect(pool.stats()).toMatchObject({ active: 0, idle: 1, leasedMillis: 3 })
    expect(pipeline.stats).toEqual({ sentBehind: 1, inFlight: 0, maxDepth: 2, stalls: 0 })
  })

  test('then statements behind others are part of the demand of a fleet, which sees it before each', async () => {
    const { pool, pipeline, run, head, demandsSeen } = await givenBusyPipeline()
    const others = [run('fast'), run('fast')]
    expect(pool.demand).toBe(1)
    expect(pipeline.behind).toBe(2)
    expect(demandsSeen).toEqual([1, 2])
    for (const each of [head, ...others]) each.answer()
    expect(pipeline.behind).toBe(0)
  })

  test('then an unknown statement waits for a connection of its own', async () => {
    const { pool, run, head } = await givenBusyPipeline()
    const unknown = run('unknown')
    await settled()
    expect(unknown.connection).toBeUndefined()
    expect(pool.counts.waiting).toBe(1)
    head.answer()
    await settled()
    expect(unknown).toMatchObject({ isBehind: false })
  })

  test('then statements that wait while they are unknown join as soon as they are known to be fast', async () => {
    const { pool, clock, run, head } = await givenBusyPipeline()
    const waiting = Array.from({ length: 5 }, () => run('unknown'))
    await clock.advance(1)
    head.answer()
    await settled()
    await clock.advance(1)
    waiting[0]?.answer()
    await settled()
    // The first follower teaches what the network hid.
    expect(waiting.filter(({ connection }) => connection !== undefined)).toHaveLength(3)
    await clock.advance(1)
    waiting[1]?.answer()
    waiting[2]?.answer()
    await settled()
    expect(waiting.filter(({ connection }) => connection !== undefined)).toHaveLength(5)
    for (const each of waiting.slice(3)) each.answer()
    expect(pool.counts).toMatchObject({ active: 0, waiting: 0 })
  })

  test('when a caller waits for a connection of its own, then the connection takes no more and goes to it', async () => {
    const { pool, run, head } = await givenBusyPipeline()
    run('fast')
    const exclusive = pool.acquire()
    const late = run('fast')
    expect(late.connection).toBeUndefined()
    head.answer()
    await settled()
    expect(late.connection).toBeUndefined()
    head.others[1]?.answer()
    const lease = await exclusive
    expect(lease.active).toBe(true)
    lease.release()
    await settled()
    expect(late.connection).toBeDefined()
  })

  test('when a caller waits for a connection of its own, then only as many connections drain as callers wait', async () => {
    const given = givenPipeline({ max: 2 })
    given.teach('fast', 1)
    given.run('fast')
    given.run('fast')
    await settled()
    void given.pool.acquire()
    const shared = Array.from({ length: 6 }, () => given.run('fast'))
    expect(new Set(shared.map(({ connection }) => connection)).size).toBe(1)
  })

  test('when its wait for a connection ends, then it is rejected and leaves nothing behind', async () => {
    const { pool, clock, run, head } = await givenBusyPipeline({ acquireTimeoutMillis: 50 })
    const unknown = run('unknown')
    await clock.advance(60)
    expect(unknown.error).toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT' })
    head.answer()
    expect(pool.counts).toMatchObject({ active: 0, waiting: 0, idle: 1 })
  })

  test('when a label is in use, then its waits include the time behind others', async () => {
    const { pool, clock, runUnderLabel, head } = await givenBusyPipeline()
    const second = runUnderLabel('GET /orders', 'fast')
    await clock.advance(1)
    head.answer()
    second.answer()
    expect(pool.stats().waitByLabel['GET /orders']).toMatchObject({ count: 1, sumMillis: 1 })
  })

  test('when the connection is due to be replaced, then it takes no more', async () => {
    const { pool, run, head } = await givenBusyPipeline({ maxUses: 2 })
    const second = run('fast')
    expect(second.connection).toBeDefined()
    head.answer()
    const third = run('fast')
    expect(third.connection).toBeUndefined()
    second.answer()
    await settled()
    expect(third.connection).not.toBe(second.connection)
    expect(pool.stats().closed).toBe(1)
  })
})

describe('given a caller that gives a statement up', () => {
  test('then the statements around it are not disturbed, and the connection takes no more until it is empty', async () => {
    const { pool, factory, pipeline, run, head } = await givenBusyPipeline()
    const [second, third] = [run('fast'), run('fast')]
    pipeline.abandon(second)
    const late = run('fast')
    expect(late.connection).toBeUndefined()
    head.answer()
    second.answer()
    third.answer()
    await settled()
    expect(late.connection).toBeDefined()
    expect(factory.closed).toEqual([])
    late.answer()
    expect(pool.counts).toMatchObject({ active: 0, idle: 1 })
  })

  test('when no caller waits for an answer on the connection any more, then it is closed', async () => {
    const { pool, factory, pipeline, run, head } = await givenBusyPipeline()
    const second = run('fast')
    pipeline.abandon(head)
    expect(factory.closed).toEqual([])
    pipeline.abandon(second)
    await settled()
    expect(factory.closed).toHaveLength(1)
    head.answer()
    second.answer()
    expect(pool.counts).toMatchObject({ active: 0, total: 0 })
  })
})

test('given a signal, then it ends the wait in the line and the wait for an answer, and disturbs no other statement', async () => {
  const { pool, factory, run, head } = await givenBusyPipeline()
  const controller = new AbortController()
  const [second, third, unknown] = [run('fast', controller.signal), run('fast'), run('unknown', controller.signal)]
  await settled()
  controller.abort('gone')
  await settled()
  expect([second.error, unknown.error]).toEqual(['gone', 'gone'])
  expect(second.isAbandoned).toBe(true)
  head.answer()
  second.answer()
  third.answer()
  expect(third.settledTimes).toBe(1)
  expect(factory.closed).toEqual([])
  expect(pool.counts).toMatchObject({ active: 0, waiting: 0 })
  expect(run('fast', controller.signal).error).toBe('gone')
})

test('given a signal of many statements, then it has no listener for those that were served', async () => {
  const given = await givenBusyPipeline()
  const { signal } = new AbortController()
  const alone = given.run('unknown', signal)
  const joining = [given.run('unknown', signal), given.run('unknown', signal)]
  expect(getEventListeners(signal, 'abort')).toHaveLength(3)
  given.head.answer()
  await settled()
  alone.answer()
  await settled()
  for (const each of joining) each.answer()
  expect(joining.map(({ settledTimes }) => settledTimes)).toEqual([1, 1])
  expect(given.pipeline.stats.sentBehind).toBeGreaterThan(0)
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

test('given a signal that is aborted when the connection was just lent, then the statement is not sent', async () => {
  const { pool, run, head } = await givenBusyPipeline()
  const controller = new AbortController()
  const waiting = run('unknown', controller.signal)
  head.answer()
  controller.abort('gone')
  await settled()
  expect(waiting).toMatchObject({ connection: undefined, error: 'gone', settledTimes: 1 })
  expect(pool.counts).toMatchObject({ active: 0, idle: 1, waiting: 0 })
})

test('given a statement that is to be cancelled, then it is alone on its connection, or no cancel request may be sent', async () => {
  const { pipeline, run, head } = await givenBusyPipeline()
  expect(pipeline.isolate(head)).toBe(true)
  expect(run('fast').connection).toBeUndefined()
  head.answer()
  await settled()
  const [first, second] = [run('fast'), run('fast')]
  await settled()
  expect(first.connection ?? second.connection).toBeDefined()
  expect(pipeline.isolate(first)).toBe(false)
})

test('given a statement that leaves the connection in doubt, then the others finish, and the connection is closed', async () => {
  const { pool, factory, run, head } = await givenBusyPipeline()
  const second = run('fast')
  head.fail(new Error('in doubt'))
  expect(run('fast').connection).toBeUndefined()
  expect(factory.closed).toEqual([])
  second.answer()
  await settled()
  expect(factory.closed).toHaveLength(1)
  expect(pool.stats()).toMatchObject({ opened: 2 })
})

test('given a lost connection, then no statement follows, and no slot leaks', async () => {
  const { pool, factory, run, head } = await givenBusyPipeline()
  const second = run('fast')
  factory.opening(0).lost()
  const late = run('fast')
  expect(late.connection).toBeUndefined()
  head.fail(undefined)
  second.fail(undefined)
  await settled()
  late.answer()
  expect(pool.counts).toMatchObject({ active: 0, total: 1, waiting: 0 })
})

test('given a head that runs for a second with statements behind it, then it is reported once, with both texts', async () => {
  const { clock, stalls, teach, run, head } = await givenBusyPipeline()
  teach('other', 1)
  run('other')
  await clock.advance(900)
  expect(stalls).toEqual([])
  await clock.advance(200)
  expect(stalls).toEqual([{ statement: 'fast', behind: 'other', depth: 2, runningMillis: expect.any(Number) }])
  await clock.advance(5_000)
  expect(stalls).toHaveLength(1)
  head.answer()
})

test('given statements that the server does not answer, then each is reported as a leak once it is the head, from then on', async () => {
  const { pool, events, clock, run, head } = await givenBusyPipeline({ leakThresholdMillis: 1_000 })
  const second = run('fast')
  const leaks = () => events.filter(({ type }) => type === 'leak')
  await clock.advance(1_000)
  expect(leaks()).toMatchObject([{ lease: { heldMillis: 1_000 } }])
  expect(pool.leases()).toHaveLength(1)
  head.answer()
  await clock.advance(999)
  expect(leaks()).toHaveLength(1)
  await clock.advance(1)
  expect(leaks()).toMatchObject([{}, { lease: { heldMillis: 1_000 } }])
  second.answer()
  expect(pool.counts).toMatchObject({ active: 0, idle: 1 })
})

test('given a drain, then it waits for the statements in flight and rejects new ones', async () => {
  const { pool, run, head } = await givenBusyPipeline()
  const second = run('fast')
  let drained = false
  void pool.drain().then(() => {
    drained = true
  })
  const late = run('fast')
  await settled()
  expect(late.error).toMatchObject({ code: 'POOLGUARD_CLOSED' })
  head.answer()
  await settled()
  expect(drained).toBe(false)
  second.answer()
  await settled()
  expect(drained).toBe(true)
})

type Operation =
  | { readonly type: 'run'; readonly text: string }
  | { readonly type: 'acquire' }
  | { readonly type: 'answer' | 'fail' | 'break' | 'abandon' | 'release' | 'lose'; readonly pick: number }
  | { readonly type: 'advance'; readonly millis: number }

const pick = fc.nat(1_000)
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({ type: fc.constant('run' as const), text: fc.constantFrom('a', 'b', 'c', 'slow') }),
  },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('acquire' as const) }) },
  { weight: 8, arbitrary: fc.record({ type: fc.constant('answer' as const), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constantFrom('fail', 'break', 'abandon', 'lose'), pick }) },
  { weight: 2, arbitrary: fc.record({ type: fc.constant('release' as const), pick }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('advance' as const), millis: fc.constantFrom(0.1, 1, 5, 60) }),
  },
)

test('given any use, then each statement settles once, each connection answers in order, and no slot leaks', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(operation, { maxLength: 120 }),
      fc.record({ max: fc.integer({ min: 1, max: 3 }), maxUses: fc.constantFrom(3, Infinity) }),
      async (operations, settings) => {
        const given = givenPipeline({ ...settings, acquireTimeoutMillis: Infinity })
        given.teach('slow', 100)
        const leases: { release(): void }[] = []
        let exclusive = 0
        for (const each of operations) {
          if (each.type === 'run') given.run(each.text)
          else if (each.type === 'acquire') {
            exclusive++
            void given.pool.acquire().then((lease) => leases.push(lease))
          } else if (each.type === 'advance') await given.clock.advance(each.millis)
          else if (each.type === 'release') leases.splice(each.pick % Math.max(1, leases.length), 1)[0]?.release()
          else given.act(each.type, each.pick)
          await settled()
          expect(given.pool.counts.total).toBeLessThanOrEqual(settings.max)
          expect(given.pool.counts.active).toBeLessThanOrEqual(settings.max)
        }
        // Everything that waits is served in the end.
        for (let turn = 0; turn < 500 && (given.unsettled > 0 || exclusive > 0); turn++) {
          exclusive -= leases.length
          for (const lease of leases.splice(0)) lease.release()
          given.act('answer', 0)
          await given.clock.advance(1)
        }
        expect(given.unsettled).toBe(0)
        expect(given.statements.every(({ settledTimes }) => settledTimes === 1)).toBe(true)
        expect(given.pool.counts).toMatchObject({ active: 0, waiting: 0 })
        expect(given.pipeline.stats.inFlight).toBe(0)
      },
    ),
    { numRuns: 300 },
  )
})
