import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError, ConnectError, HookFailure } from './errors.ts'
import { FakeFactory, type FakeOpening } from './testing/fake-factory.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool, type PoolUnderTest } from './testing/pool-under-test.ts'

const full = Object.assign(new Error('sorry, too many clients already'), { code: '53300' })
const unavailable = Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' })
const rejection = Object.assign(new Error('password authentication failed for user "app"'), { code: '28P01' })

const failWith = (error: unknown) => (opening: FakeOpening) => opening.fail(error)
const succeed = (opening: FakeOpening) => opening.succeed()

function ask({ pool }: PoolUnderTest, callers: number): Outcome<unknown>[] {
  return Array.from({ length: callers }, () => new Outcome(pool.acquire()))
}

function countOf(outcomes: readonly Outcome<unknown>[], state: Outcome<unknown>['state']): number {
  return outcomes.filter((outcome) => outcome.state === state).length
}

describe('opening', () => {
  test('starts with four attempts in parallel, and every success doubles the number', async () => {
    const given = givenPool({ max: 100 })
    given.factory.onOpen = () => {}
    ask(given, 50)
    expect(given.factory.openings).toHaveLength(4)

    given.factory.opening(0).succeed()
    await settled()
    expect(given.factory.openings).toHaveLength(1 + 8)

    given.factory.opening(1).succeed()
    await settled()
    expect(given.factory.openings).toHaveLength(2 + 16)
  })

  test('opens no more connections than callers or max', async () => {
    const given = givenPool({ max: 3 })
    given.factory.onOpen = () => {}
    ask(given, 1)
    expect(given.factory.openings).toHaveLength(1)
    ask(given, 9)

    expect(given.factory.openings).toHaveLength(3)
    expect(given.pool.stats()).toMatchObject({ connecting: 3, total: 3, waiting: 10 })
  })

  test('given a release before the opening is done, then the waiter gets the released resource, and the new one becomes idle', async () => {
    const { pool, factory } = givenPool({ max: 2 })
    const first = await pool.acquire()
    factory.onOpen = () => {}
    const second = new Outcome(pool.acquire())
    first.release()
    await settled()
    expect(second.state).toBe('fulfilled')
    factory.opening(1).succeed()
    await settled()

    expect(pool.stats()).toMatchObject({ active: 1, idle: 1 })
  })

  test('given an opening longer than connectTimeoutMillis, then its signal is aborted and the pool retries', async () => {
    const { pool, factory, clock, events } = givenPool({ connectTimeoutMillis: 100 })
    factory.onOpen = () => {}
    const waiting = new Outcome(pool.acquire())
    await clock.advance(99)
    expect(factory.opening(0).signal.aborted).toBe(false)
    factory.onOpen = succeed
    await clock.advance(1)
    await clock.advance(0)

    expect(factory.opening(0).signal.reason).toMatchObject({
      code: 'ETIMEDOUT',
      message: expect.stringContaining('100 ms'),
    })
    expect(events).toContainEqual(expect.objectContaining({ type: 'connect-failed', failure: 'unavailable' }))
    expect(waiting.state).toBe('fulfilled')
  })

  test('given an opening that times out while the event loop is blocked, then its error says so', async () => {
    const { pool, factory, clock, events } = givenPool({ connectTimeoutMillis: 1_000 })
    factory.onOpen = () => {}
    // Before the attempt.
    clock.blockedMillis = 5_000
    new Outcome(pool.acquire())
    clock.blockedMillis += 900
    await clock.advance(1_000)
    const failed = events.find((event) => event.type === 'connect-failed')

    expect(failed?.error).toMatchObject({ message: expect.stringContaining('blocked for 900 ms') })
  })

  test('given connectTimeoutMillis Infinity, then an opening has no timeout', async () => {
    const { pool, factory, clock } = givenPool({ connectTimeoutMillis: Infinity, acquireTimeoutMillis: Infinity })
    factory.onOpen = () => {}
    const waiting = new Outcome(pool.acquire())
    await clock.advance(1e10)
    factory.opening(0).succeed()
    await settled()

    expect(waiting.state).toBe('fulfilled')
  })

  test('given a successful opening, then its signal is never aborted', async () => {
    const { pool, factory, clock } = givenPool({ connectTimeoutMillis: 100 })
    await pool.acquire()
    await clock.advance(1_000)

    expect(factory.opening(0).signal.aborted).toBe(false)
  })

  test('emits the duration of the opening', async () => {
    const { pool, factory, clock, events } = givenPool()
    factory.onOpen = () => {}
    new Outcome(pool.acquire())
    await clock.advance(25)
    factory.opening(0).succeed()
    await settled()

    expect(events).toEqual([{ type: 'opened', millis: 25 }])
    expect(pool.stats()).toMatchObject({ opened: 1, connect: { count: 1, sumMillis: 25 } })
  })
})

describe.each([
  ['full', full],
  ['unavailable', unavailable],
] as const)('a server that is %s', (failure, error) => {
  test('given 200 callers, then it gets a handful of attempts, one at a time after the first failure', async () => {
    const given = givenPool({ max: 10, acquireTimeoutMillis: 10_000 }, { random: () => 1 })
    const { factory, clock } = given
    let underWay = 0
    let mostAtOnce = 0
    let counting = false
    factory.onOpen = (opening) => {
      underWay++
      if (counting) mostAtOnce = Math.max(mostAtOnce, underWay)
      opening.promise.catch(() => underWay--)
      opening.fail(error)
    }
    const callers = ask(given, 200)
    await settled()
    expect(factory.openings).toHaveLength(4)
    counting = true
    await clock.advance(10_000)

    expect(mostAtOnce).toBe(1)
    expect(factory.openings.length).toBeLessThan(4 + 12)
    expect(countOf(callers, 'rejected')).toBe(200)
    expect(callers[0]?.error).toBeInstanceOf(AcquireTimeoutError)
    expect(callers[0]?.error).toMatchObject({ cause: error, pool: { trouble: { failure, error } } })
  })

  test('then the pauses double from 50 ms to 2 s', async () => {
    const given = givenPool({ max: 1, acquireTimeoutMillis: Infinity }, { random: () => 1 })
    const { factory, clock, events } = given
    factory.onOpen = failWith(error)
    ask(given, 1)
    await clock.advance(20_000)

    const pauses = events.map((event) => (event.type === 'connect-failed' ? event.retryInMillis : undefined))
    expect(pauses.slice(0, 8)).toEqual([50, 100, 200, 400, 800, 1_600, 2_000, 2_000])
  })

  test('then attempts that fail together cause one pause', async () => {
    const given = givenPool({ max: 4 }, { random: () => 1 })
    given.factory.onOpen = failWith(error)
    ask(given, 4)
    await settled()

    const pauses = given.events.map((event) => (event.type === 'connect-failed' ? event.retryInMillis : undefined))
    expect(pauses).toEqual([50, null, null, null])
    expect(given.pool.stats().connectFailures[failure]).toBe(4)
  })

  test('given random returns 0.5, then the pause is half its ceiling (full jitter)', async () => {
    const given = givenPool({ max: 1 }, { random: () => 0.5 })
    given.factory.onOpen = failWith(error)
    ask(given, 1)
    await given.clock.advance(24)
    expect(given.factory.openings).toHaveLength(1)
    await given.clock.advance(1)

    expect(given.factory.openings).toHaveLength(2)
  })

  test('when it recovers, then callers are served again, with a doubling number of parallel attempts', async () => {
    const given = givenPool({ max: 50 }, { random: () => 1 })
    const { factory, clock } = given
    factory.onOpen = failWith(error)
    const callers = ask(given, 50)
    await settled()
    factory.onOpen = () => {}
    await clock.advance(50)
    expect(given.pool.stats().connecting).toBe(1)

    const connecting: number[] = []
    for (let next = 4; countOf(callers, 'fulfilled') < 7; next++) {
      factory.opening(next).succeed()
      await settled()
      connecting.push(given.pool.stats().connecting)
    }
    expect(connecting).toEqual([2, 4, 8, 16, 32, 44, 43])
  })

  test('given a release during a pause, then the waiter gets the resource', async () => {
    const { pool, factory } = givenPool({ max: 2 }, { random: () => 1 })
    const lease = await pool.acquire()
    factory.onOpen = failWith(error)
    const waiting = new Outcome(pool.acquire())
    await settled()
    lease.release()
    await settled()

    expect(waiting.state).toBe('fulfilled')
  })

  test('given no waiters, then the pool stops connecting', async () => {
    const given = givenPool({ max: 1, acquireTimeoutMillis: 60 }, { random: () => 1 })
    given.factory.onOpen = failWith(error)
    ask(given, 1)
    await given.clock.advance(60)
    const attempts = given.factory.openings.length
    await given.clock.advance(60_000)

    expect(given.factory.openings).toHaveLength(attempts)
    expect(given.clock.timers).toBe(0)
  })
})

describe('a server that rejects connections permanently', () => {
  test('when one attempt fails, then all callers are rejected immediately, with its error as the cause', async () => {
    const given = givenPool({ max: 2 }, { random: () => 1 })
    given.factory.onOpen = failWith(rejection)
    const callers = ask(given, 100)
    await settled()

    expect(countOf(callers, 'rejected')).toBe(100)
    expect(callers[99]?.error).toBeInstanceOf(ConnectError)
    expect(callers[99]?.error).toMatchObject({ cause: rejection })
    expect(given.factory.openings).toHaveLength(2)
  })

  test('given the pause after a rejection, when a later caller acquires, then the pool retries immediately', async () => {
    const given = givenPool({ max: 2 }, { random: () => 1 })
    given.factory.onOpen = failWith(rejection)
    ask(given, 1)
    await settled()
    given.factory.onOpen = succeed
    const [later] = ask(given, 1)
    await settled()

    expect(later?.state).toBe('fulfilled')
  })

  test('given min and no callers, then the pool retries with growing pauses only', async () => {
    const factory = new FakeFactory()
    factory.onOpen = failWith(rejection)
    const { clock } = givenPool({ min: 2 }, { factory, random: () => 1 })
    await clock.advance(10_000)

    // 2 attempts at first, then one after pauses of 50, 100, 200, 400, 800, 1600, and every 2000 ms.
    expect(factory.openings).toHaveLength(2 + 6 + 3)
  })

  test('given a listener that acquires again on a rejection, then that call counts as a later caller', async () => {
    const again: Outcome<unknown>[] = []
    const factory = new FakeFactory()
    factory.onOpen = (opening) => (factory.openings.length === 1 ? opening.fail(rejection) : opening.succeed())
    const { pool } = givenPool(
      { max: 1 },
      {
        factory,
        onEvent: ({ type }) => {
          if (type === 'connect-failed') again.push(new Outcome(pool.acquire()))
        },
      },
    )
    const first = new Outcome(pool.acquire())
    await settled()

    expect(first.error).toBeInstanceOf(ConnectError)
    expect(again.map(({ state }) => state)).toEqual(['fulfilled'])
  })
})

describe('an open that throws instead of rejecting', () => {
  test('counts as a failed attempt', async () => {
    const given = givenPool({ max: 3 }, { random: () => 1 })
    given.factory.onOpen = () => {
      // The limit ends the test if the pool retries synchronously.
      if (given.factory.openings.length < 100) throw rejection
    }
    const callers = ask(given, 3)
    await settled()

    expect(countOf(callers, 'rejected')).toBe(3)
    expect(given.factory.openings.length).toBeLessThanOrEqual(3)
  })

  test('given min, then the pool is constructed before any event is emitted', async () => {
    const factory = new FakeFactory()
    factory.onOpen = () => {
      throw unavailable
    }
    const events: string[] = []
    let constructed = false
    givenPool({ min: 1 }, { factory, random: () => 1, onEvent: ({ type }) => events.push(`${type}, ${constructed}`) })
    constructed = true
    await settled()

    expect(events).toEqual(['connect-failed, true'])
  })
})

describe('the code of the app that runs on each new connection', () => {
  const thrown = new Error('my hook')

  test('given it fails, then the caller that waits longest gets its error, and the next connection is opened without a pause', async () => {
    const given = givenPool({ max: 1 })
    let failures = 1
    given.factory.onOpen = (opening) => (failures-- > 0 ? opening.fail(new HookFailure(thrown)) : opening.succeed())
    const [first, second] = ask(given, 2)
    await settled()

    expect(first?.error).toBe(thrown)
    expect(second?.state).toBe('fulfilled')
    expect(given.events).toMatchObject([
      { type: 'connect-failed', failure: 'permanent', error: thrown, retryInMillis: null },
      { type: 'opened' },
    ])
    expect(given.pool.stats().connectFailures).toMatchObject({ permanent: 1 })
  })

  test('given it fails and no caller waits, then that is a failure to connect, with a pause', async () => {
    const { factory, events, pool } = givenPool({ min: 1 }, { factory: failing() })
    await settled()

    expect(factory.openings).toHaveLength(1)
    expect(events).toMatchObject([{ type: 'connect-failed', error: thrown, retryInMillis: 0 }])
    expect(pool.counts.connectFailing).toBe(true)
  })

  test('given it fails during a shutdown, then the shutdown ends', async () => {
    const given = givenPool()
    given.factory.onOpen = () => {}
    const [caller] = ask(given, 1)
    const drained = new Outcome(given.pool.drain())
    given.factory.opening(0).fail(new HookFailure(thrown))
    await settled()

    expect(caller?.error).toBe(thrown)
    expect(drained.state).toBe('fulfilled')
  })

  function failing(): FakeFactory {
    const factory = new FakeFactory()
    factory.onOpen = failWith(new HookFailure(thrown))
    return factory
  }
})
