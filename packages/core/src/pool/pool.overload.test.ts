import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Lease } from './lease.ts'
import type { OverloadPolicy } from './overload-control.ts'
import { PoolOverloadedError } from './overloaded-error.ts'
import type { Pool } from './pool.ts'
import type { PoolSettings } from './pool-settings.ts'
import type { FakeResource } from './testing/fake-factory.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool, type PoolUnderTest } from './testing/pool-under-test.ts'

type Caller = Outcome<Lease<FakeResource>>

/** A pool whose checkouts usually take `serviceMillis`, with all connections in use. */
async function givenBusyPool(settings: Partial<PoolSettings>, serviceMillis = 20) {
  const given = givenPool({ validateAfterIdleMillis: Infinity, ...settings })
  const { pool, clock } = given
  const leases: Lease<FakeResource>[] = []
  for (let i = 0; i < 100; i++) {
    const lease = await pool.acquire()
    await clock.advance(serviceMillis)
    lease.release()
  }
  for (let i = 0; i < pool.settings.max; i++) leases.push(await pool.acquire())
  return { ...given, leases }
}

function join(pool: Pool<FakeResource>, timeoutMillis?: number): Caller {
  return new Outcome(pool.acquire({ timeoutMillis }))
}

async function releaseOne(leases: Lease<FakeResource>[]): Promise<void> {
  leases.shift()?.release()
  await settled()
}

function states(callers: readonly Caller[]): string[] {
  return callers.map(({ state }) => state)
}

describe.for<OverloadPolicy>(['wait', 'shed'])('without an overload, a pool with overload: %s', (overload) => {
  const arrival = fc.record({
    /** More than two slots of time per caller: the queue empties all the time. */
    pauseMillis: fc.integer({ min: 0, max: 60 }),
    serviceMillis: fc.integer({ min: 1, max: 40 }),
  })

  test('serves callers strictly in the order of their arrival', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 4 }),
        fc.array(arrival, { minLength: 1, maxLength: 60 }),
        async (max, arrivals) => {
          const { pool, clock } = givenPool({ max, overload })
          const served: number[] = []
          let wasOverloaded = false
          for (const [i, { pauseMillis, serviceMillis }] of arrivals.entries()) {
            await clock.advance(pauseMillis)
            void pool.acquire().then(
              (lease) => {
                served.push(i)
                clock.after(serviceMillis, () => {
                  wasOverloaded ||= pool.counts.overloaded
                  lease.release()
                })
              },
              () => {},
            )
            wasOverloaded ||= pool.counts.overloaded
          }
          await clock.advance(10_000)
          fc.pre(!wasOverloaded)

          expect(served).toEqual(arrivals.map((_, i) => i))
        },
      ),
      { seed: 22, numRuns: 200 },
    )
  })

  test('serves a burst of callers in order, however short the time is that they have left', async () => {
    const { pool, clock, leases } = await givenBusyPool({ max: 1, overload })
    const callers = [join(pool, 25), join(pool, 1_000), join(pool, 30)]
    await clock.advance(20)
    await releaseOne(leases)

    expect(states(callers)).toEqual(['fulfilled', 'pending', 'pending'])
  })

  test('lets callers wait for connections that are being opened', async () => {
    const { pool, clock, factory } = givenPool({ max: 2, overload })
    const lease = await pool.acquire()
    await clock.advance(5)
    lease.release()
    await pool.acquire()
    factory.onOpen = () => {}
    const waiting = join(pool)
    await clock.advance(2_000)
    expect(waiting.state).toBe('pending')
    expect(pool.counts.overloaded).toBe(false)
    factory.opening(1).succeed()
    await settled()

    expect(waiting.state).toBe('fulfilled')
  })

  test('does not count a blocked event loop as an overload', async () => {
    const { pool, clock } = await givenBusyPool({ max: 1, overload })
    const caller = join(pool)
    clock.blockedMillis += 500
    await clock.advance(500)

    expect(pool.counts.overloaded).toBe(false)
    expect(caller.state).toBe('pending')
  })

  test('begins to measure anew when its max grows', async () => {
    const { pool, clock, factory } = await givenBusyPool({ max: 1, overload })
    factory.onOpen = () => {}
    join(pool, Infinity)
    await clock.advance(90)
    pool.resize({ max: 2 })
    await clock.advance(90)

    expect(pool.counts.overloaded).toBe(false)
  })
})

describe('an overloaded pool with overload: wait', () => {
  const overload = 'wait'

  test('rejects no caller before its deadline', async () => {
    const { pool, clock } = await givenBusyPool({ max: 1, overload })
    const callers = Array.from({ length: 50 }, () => join(pool, 1_000))
    await clock.advance(999)
    expect(pool.counts.overloaded).toBe(true)
    expect(new Set(states(callers))).toEqual(new Set(['pending']))
    await clock.advance(1)

    expect(callers.map(({ error }) => (error as { code?: string }).code)).toEqual(
      callers.map(() => 'POOLGUARD_ACQUIRE_TIMEOUT'),
    )
  })

  test('passes over callers with less time left than two checkouts take, and serves the longest waiting of the others', async () => {
    const { pool, clock, leases } = await givenBusyPool({ max: 1, overload })
    const callers = [join(pool, 200), join(pool, 250), join(pool, 5_000), join(pool, 5_000)]
    await clock.advance(199)
    await releaseOne(leases)

    expect(states(callers)).toEqual(['pending', 'fulfilled', 'pending', 'pending'])
    await clock.advance(10)
    expect(states(callers)).toEqual(['rejected', 'fulfilled', 'pending', 'pending'])
    callers[1]?.value?.release()
    await settled()
    expect(states(callers)).toEqual(['rejected', 'fulfilled', 'fulfilled', 'pending'])
  })

  test('serves a caller with little time left if no other caller waits', async () => {
    const { pool, clock, leases } = await givenBusyPool({ max: 1, overload })
    const late = join(pool, 200)
    await clock.advance(199)
    expect(pool.counts.overloaded).toBe(true)
    await releaseOne(leases)

    expect(late.state).toBe('fulfilled')
  })
})

describe('an overloaded pool with overload: shed', () => {
  const overload = 'shed'

  async function givenOverload(settings: Partial<PoolSettings> = {}) {
    const given = await givenBusyPool({ max: 1, overload, ...settings })
    const early = [join(given.pool), join(given.pool)]
    await given.clock.advance(100)
    const standing = join(given.pool)
    await given.clock.advance(1)
    return { ...given, early, standing }
  }

  test('rejects callers that have waited for the interval', async () => {
    const { pool, early, standing, events, clock } = await givenOverload()
    await clock.advance(10)

    expect(pool.counts.overloaded).toBe(true)
    expect(states(early)).toEqual(['rejected', 'rejected'])
    expect(standing.state).toBe('pending')
    const error = early[0]?.error as PoolOverloadedError
    expect(error).toBeInstanceOf(PoolOverloadedError)
    expect(error).toMatchObject({ code: 'POOLGUARD_OVERLOADED', reason: 'waited-too-long', retryAfterMillis: 1_000 })
    expect(error.message).toMatch(
      /^Pool "app" is overloaded and rejected this caller after 1\d\d ms, because callers arrive faster than the connections can serve them: 1 of 1 active, 0 idle, 3 waiting\. /,
    )
    expect(events.filter(({ type }) => type === 'shed')).toHaveLength(2)
    expect(pool.stats()).toMatchObject({
      overloaded: true,
      shed: { 'waited-too-long': 2, 'deadline-too-near': 0 },
      timeouts: 0,
    })
  })

  test('serves the newest caller first', async () => {
    const { pool, leases, standing } = await givenOverload()
    const newest = join(pool)
    await releaseOne(leases)

    expect(states([standing, newest])).toEqual(['pending', 'fulfilled'])
  })

  test('lets a caller that arrives wait only for as long as the connections need for four callers each', async () => {
    const { pool, clock, standing } = await givenOverload({ max: 4 })
    const late = join(pool)
    await clock.advance(19)
    expect(late.state).toBe('pending')
    await clock.advance(11)

    expect(late.state).toBe('rejected')
    expect(standing.state).toBe('pending')
  })

  test('gives no connection to a caller whose deadline is too near', async () => {
    const { pool, leases, clock, standing } = await givenOverload()
    const hurried = join(pool, 39)
    await releaseOne(leases)
    expect(standing.state).toBe('fulfilled')
    await clock.advance(10)

    expect(hurried.error).toMatchObject({ code: 'POOLGUARD_OVERLOADED', reason: 'deadline-too-near' })
    expect((hurried.error as Error).message).toMatch(/a checkout usually takes 2\d ms/)
  })

  test('rejects callers whose deadline is too near even if no other caller waits for the connection', async () => {
    const { pool, leases, clock } = await givenBusyPool({ max: 1, overload })
    const hurried = join(pool, 130)
    await clock.advance(101)
    await releaseOne(leases)

    expect(hurried.error).toMatchObject({ reason: 'deadline-too-near' })
    expect(pool.counts).toMatchObject({ idle: 1, waiting: 0, overloaded: false })
  })

  test('goes on while rejections alone have emptied the queue', async () => {
    const { pool, clock } = await givenBusyPool({ max: 1, overload }, 2)
    const early = [join(pool), join(pool)]
    await clock.advance(130)
    expect(states(early)).toEqual(['rejected', 'rejected'])
    expect(pool.counts.waiting).toBe(0)
    const late = join(pool)
    await clock.advance(30)

    expect(late.error).toMatchObject({ reason: 'waited-too-long' })
  })

  test('serves callers in order again once the queue has emptied', async () => {
    const { pool, leases, clock } = await givenOverload()
    await clock.advance(200)
    expect(pool.counts).toMatchObject({ waiting: 0, overloaded: false })
    const callers = [join(pool), join(pool)]
    await clock.advance(50)
    await releaseOne(leases)

    expect(states(callers)).toEqual(['fulfilled', 'pending'])
  })

  test('never rejects a wait of the pool itself, and serves it as soon as no earlier caller waits', async () => {
    const { pool, leases, clock } = await givenBusyPool({ max: 1, overload })
    const caller = join(pool)
    const internal = new Outcome(pool.acquire({ internal: 'queued' }))
    await clock.advance(115)
    const newest = join(pool)
    expect(states([caller, internal, newest])).toEqual(['rejected', 'pending', 'pending'])
    await releaseOne(leases)

    expect(states([internal, newest])).toEqual(['fulfilled', 'pending'])
  })

  test('counts callers that leave by abort or close, and settles each once', async () => {
    const { pool, clock, early, standing } = await givenOverload()
    const controller = new AbortController()
    const leaving = new Outcome(pool.acquire({ signal: controller.signal }))
    controller.abort(new Error('gone'))
    await settled()
    expect(leaving.error).toEqual(new Error('gone'))
    void pool.drain(0)
    await clock.advance(0)

    expect([...early, standing, leaving].map(({ settlements }) => settlements)).toEqual([1, 1, 1, 1])
  })
})

/** Arrivals at a multiple of what the connections can serve, with callers that give up after a second. */
async function offer({ pool, clock }: PoolUnderTest, factor: number) {
  const serviceMillis = 20
  const capacity = pool.settings.max / serviceMillis
  const answered: number[] = []
  const rejected: number[] = []
  let owed = 0
  for (let millis = 0; millis < 4_000; millis++) {
    for (owed += capacity * factor; owed >= 1; owed--) {
      const since = clock.now()
      void pool.acquire({ timeoutMillis: 1_000 }).then(
        (lease) =>
          clock.after(serviceMillis, () => {
            if (clock.now() - since <= 1_000) answered.push(clock.now() - since)
            lease.release()
          }),
        () => rejected.push(clock.now() - since),
      )
    }
    await clock.advance(1)
  }
  const p99 = (millis: number[]) => millis.toSorted((a, b) => a - b)[Math.floor(millis.length * 0.99)] ?? 0
  return { goodput: answered.length / (capacity * 4_000), answerP99: p99(answered), rejectionP99: p99(rejected) }
}

test('answers as many callers in time at three times the load as the connections can serve', async () => {
  const [shed, wait] = await Promise.all(
    (['shed', 'wait'] as const).map((overload) => offer(givenPool({ max: 4, overload }), 3)),
  )

  expect(shed?.goodput).toBeGreaterThan(0.9)
  expect(shed?.answerP99).toBeLessThanOrEqual(125)
  expect(shed?.rejectionP99).toBeLessThanOrEqual(125)
  expect(wait?.goodput).toBeGreaterThan(0.9)
  expect(wait?.rejectionP99).toBeGreaterThanOrEqual(1_000)
})
