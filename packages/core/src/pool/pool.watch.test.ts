import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, test } from 'vitest'
import { withDeadlockDetection } from './caller-context.ts'
import type { LeaseActivity, RunningQuery } from './resource-factory.ts'
import { FakeFactory, type FakeResource } from './testing/fake-factory.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool } from './testing/pool-under-test.ts'

/** A factory whose resources are controlled by the test. */
class WatchedFactory extends FakeFactory {
  readonly activities = new Map<number, LeaseActivity>()
  /** The texts of the running queries. */
  readonly queries = new Map<number, string>()
  readonly listening = new Set<number>()

  activity({ id }: FakeResource): LeaseActivity {
    return this.activities.get(id) ?? 0
  }

  runningQuery({ id }: FakeResource): RunningQuery | undefined {
    const text = this.queries.get(id)
    return text === undefined ? undefined : { key: text, describe: () => text }
  }

  isListening({ id }: FakeResource): boolean {
    return this.listening.has(id)
  }
}

function givenWatchedPool(settings: Parameters<typeof givenPool>[0] = {}) {
  const factory = new WatchedFactory()
  const given = givenPool({ leakThresholdMillis: 1_000, ...settings }, { factory })
  const leaks = () => given.events.filter(({ type }) => type === 'leak' || type === 'leak-returned')
  const longQueries = () => given.events.filter(({ type }) => type === 'long-query')
  return { ...given, factory, leaks, longQueries }
}

describe('the leak detector', () => {
  test('given a lease without activity for the threshold, then it is reported once, and again at its release', async () => {
    const { pool, clock, leaks } = givenWatchedPool()
    const lease = await pool.acquire()
    await clock.advance(999)
    expect(leaks()).toEqual([])
    await clock.advance(1)
    expect(leaks()).toEqual([
      { type: 'leak', lease: { label: null, heldMillis: 1_000, quietMillis: 1_000, stack: null } },
    ])
    await clock.advance(5_000)
    expect(leaks()).toHaveLength(1)
    expect(pool.stats()).toMatchObject({ leaks: 1, suspectedLeaks: 1 })

    lease.release()
    expect(leaks()[1]).toMatchObject({ type: 'leak-returned', lease: { heldMillis: 6_000 } })
    expect(pool.stats()).toMatchObject({ leaks: 1, suspectedLeaks: 0 })
  })

  test('given activity, then it is no leak for any duration, with or without an open query', async () => {
    const { pool, factory, clock, leaks } = givenWatchedPool()
    await pool.acquire()
    for (let i = 1; i <= 10; i++) {
      factory.activities.set(0, i)
      if (i === 5) factory.queries.set(0, 'copy t to stdout')
      await clock.advance(900)
    }
    expect(leaks()).toEqual([])

    factory.queries.delete(0)
    await clock.advance(1_500)
    expect(leaks()).toHaveLength(1)
  })

  test('given a query that is never answered, then a leak with that query is reported', async () => {
    const { pool, factory, clock, leaks } = givenWatchedPool({
      acquireTimeoutMillis: 100,
      max: 1,
      captureStacks: 'always',
    })
    await (async function unlucky() {
      await pool.acquire()
    })()
    factory.queries.set(0, 'select lost')
    await clock.advance(2_250)
    expect(leaks()).toMatchObject([{ type: 'leak', lease: { quietMillis: 2_000, query: { text: 'select lost' } } }])
    const waiting = new Outcome(pool.acquire())
    await clock.advance(100)
    const { message, stack } = waiting.error as Error
    expect(message).toContain('quiet for 2350 ms, waiting for the answer to a query for 2100 ms)')
    expect(message).not.toContain('select lost')
    expect(stack).toMatch(/waiting for the answer to a query for 2100 ms \(select lost\) was borrowed\n.*unlucky/)
  })

  test('given a short threshold, then a query may still take two seconds', async () => {
    const { pool, factory, clock, leaks } = givenWatchedPool({ leakThresholdMillis: 100 })
    await pool.acquire()
    factory.queries.set(0, 'select slowly')
    await clock.advance(1_900)
    expect(leaks()).toEqual([])
    factory.queries.delete(0)
    factory.activities.set(0, 1)
    await clock.advance(50)
    factory.activities.set(0, 2)
    await clock.advance(50)
    expect(leaks()).toEqual([])
  })

  test('given a caller that listens for notifications, then it is no leak until it stops listening', async () => {
    const { pool, factory, clock, leaks } = givenWatchedPool()
    await pool.acquire()
    factory.listening.add(0)
    await clock.advance(100_000)
    expect(leaks()).toEqual([])
    factory.listening.delete(0)
    await clock.advance(1_000)
    expect(leaks()).toHaveLength(1)
  })

  test('given a lease that is released in time, and a later one on the same resource, then each has its own threshold', async () => {
    const { pool, clock, leaks } = givenWatchedPool()
    for (let i = 0; i < 5; i++) {
      const lease = await pool.acquire()
      await clock.advance(900)
      lease.release()
    }
    expect(leaks()).toEqual([])
  })

  test('given no leases, then no timer is active', async () => {
    const { pool, clock } = givenWatchedPool({ idleTimeoutMillis: Infinity, maxLifetimeMillis: Infinity })
    const lease = await pool.acquire()
    lease.release()
    await clock.advance(20_000)
    expect(clock.timers).toBe(0)
  })
})

describe('the detection of long queries', () => {
  test('given a query that runs for the threshold, then it is reported once, with its caller, and is no leak', async () => {
    const given = givenWatchedPool({ longQueryMillis: 500, captureStacks: 'always' })
    const { pool, factory, clock, leaks, longQueries } = given
    await (async function reporting() {
      await pool.acquire()
    })()
    factory.queries.set(0, 'select all')
    await clock.advance(750)
    expect(longQueries()).toMatchObject([
      {
        query: { text: 'select all', runningMillis: 500 },
        lease: { heldMillis: 750, stack: expect.stringContaining('reporting') },
      },
    ])
    await clock.advance(100_000)
    expect(longQueries()).toHaveLength(1)
    expect(leaks()).toEqual([])

    factory.queries.set(0, 'select the rest')
    factory.activities.set(0, 1)
    await clock.advance(750)
    expect(longQueries()).toMatchObject([{}, { query: { text: 'select the rest' } }])

    factory.queries.delete(0)
    factory.activities.set(0, 2)
    await clock.advance(1_250)
    expect(leaks(), 'what is held after the answer').toHaveLength(1)
  })

  test('given queries that end in time, or no threshold, then no query is reported', async () => {
    const short = givenWatchedPool({ longQueryMillis: 500 })
    await short.pool.acquire()
    for (let i = 0; i < 10; i++) {
      short.factory.queries.set(0, `select ${i}`)
      await short.clock.advance(400)
    }
    const never = givenWatchedPool({ longQueryMillis: Infinity, leakThresholdMillis: Infinity })
    await never.pool.acquire()
    never.factory.queries.set(0, 'select endless')
    await never.clock.advance(1e9)
    expect([...short.longQueries(), ...never.longQueries(), ...never.leaks()]).toEqual([])
  })
})

describe('the leases of a pool', () => {
  test('are reported with the oldest first, and with the time since their last activity', async () => {
    const { pool, factory, clock } = givenWatchedPool({ max: 3 })
    const first = await pool.acquire()
    await clock.advance(10)
    await pool.acquire()
    await clock.advance(10)
    first.release()
    await pool.acquire()
    await clock.advance(10)
    factory.activities.set(1, 1)

    expect(pool.leases()).toMatchObject([
      { heldMillis: 20, quietMillis: 0 },
      { heldMillis: 10, quietMillis: 10 },
    ])
  })

  test('that run a query are known, also since a moment ago', async () => {
    const { pool, factory } = givenWatchedPool({ max: 3 })
    const [running] = [await pool.acquire(), await pool.acquire()]
    expect(pool.querying).toEqual([])
    factory.queries.set(running.resource.id, 'select 1')

    expect(pool.querying).toEqual([running])
    running.release()
    expect(pool.querying).toEqual([])
  })
})

describe('stacks', () => {
  test('given adaptive, then they are captured from the first suspected leak on', async () => {
    const { pool, clock, leaks } = givenWatchedPool()
    await pool.acquire()
    await clock.advance(1_000)
    await (async function laterBorrower() {
      await pool.acquire()
    })()
    await clock.advance(1_000)
    const [first, second] = leaks() as { lease: { stack: string | null } }[]
    expect(first?.lease.stack).toBeNull()
    expect(second?.lease.stack).toContain('laterBorrower')
  })

  test('given adaptive, when ten thresholds pass without a suspected leak, then they are no longer captured', async () => {
    const { pool, clock, leaks } = givenWatchedPool()
    const leaked = await pool.acquire()
    await clock.advance(1_000)
    leaked.release()
    await clock.advance(10_000)
    await pool.acquire()
    await clock.advance(1_000)
    expect(leaks()).toMatchObject([
      { type: 'leak' },
      { type: 'leak-returned' },
      { type: 'leak', lease: { stack: null } },
    ])
  })

  test('given always, then a timeout error shows the stacks of the callers that hold connections; given never, then it does not', async () => {
    for (const stacks of ['always', 'never'] as const) {
      const { pool, clock } = givenWatchedPool({ max: 1, captureStacks: stacks, acquireTimeoutMillis: 50 })
      await (async function hoarder() {
        await pool.acquire()
      })()
      const waiting = new Outcome(pool.acquire())
      await clock.advance(50)
      const { message, stack } = waiting.error as Error
      expect(message).not.toContain('hoarder')
      if (stacks === 'always')
        expect(stack).toMatch(/A lease out for 50 ms, quiet for 50 ms was borrowed\n\s+at .*hoarder/)
      else expect(stack).not.toContain('was borrowed')
    }
  })

  test('given always, then a waiter has its own stack and not that of the releasing caller', async () => {
    const { pool, clock, leaks } = givenWatchedPool({ max: 1, captureStacks: 'always' })
    const first = await pool.acquire()
    const waiting = (async function patient() {
      await pool.acquire()
    })()
    ;(function releaser() {
      first.release()
    })()
    await waiting
    await clock.advance(1_000)
    expect(leaks()).toMatchObject([{ lease: { stack: expect.stringContaining('patient') } }])
    expect(leaks()).not.toMatchObject([{ lease: { stack: expect.stringContaining('releaser') } }])
  })
})

describe('the deadlock detection', () => {
  const deadlocks = (given: ReturnType<typeof givenWatchedPool>) =>
    given.events.filter(({ type }) => type === 'deadlock')

  test('given every holder waits for another lease, then a deadlock is reported, and the timeout errors say so', async () => {
    const given = givenWatchedPool({ max: 2, acquireTimeoutMillis: 3_000 })
    const { pool, clock } = given
    const inner = [0, 1].map(() =>
      withDeadlockDetection(async () => {
        await pool.acquire()
        await settled()
        return new Outcome(pool.acquire())
      }),
    )
    const [first, second] = (await Promise.all(inner)) as [Outcome<unknown>, Outcome<unknown>]
    await clock.advance(2_000)
    expect(deadlocks(given)).toMatchObject([{ waiting: 2, leases: [{}, {}] }])
    expect([first.state, second.state], 'no waiter is rejected for it').toEqual(['pending', 'pending'])

    await clock.advance(1_000)
    expect((first.error as Error).message).toContain('Every holder of a connection waits for another one')
    expect(pool.stats().deadlocks).toBe(1)
  })

  test('given the waiter is in a scope nested in that of the holder, then the holder counts as waiting', async () => {
    const given = givenWatchedPool({ max: 1 })
    await withDeadlockDetection(async () => {
      await given.pool.acquire()
      withDeadlockDetection(() => new Outcome(given.pool.acquire()))
    })
    await given.clock.advance(2_000)
    expect(deadlocks(given)).toHaveLength(1)
  })

  test('given one holder does not wait, or is active, then there is no deadlock', async () => {
    const given = givenWatchedPool({ max: 2, acquireTimeoutMillis: 60_000, leakThresholdMillis: 60_000 })
    const { pool, clock, factory } = given
    await withDeadlockDetection(async () => {
      await pool.acquire()
      const bystander = pool.acquire()
      await bystander
      new Outcome(pool.acquire())
    })
    // Both leases belong to the waiting scope, but one of them is still active.
    for (let i = 1; i < 10; i++) {
      factory.activities.set(1, i)
      await clock.advance(600)
    }
    expect(deadlocks(given)).toEqual([])
    factory.queries.set(1, 'select slowly')
    await clock.advance(5_000)
    expect(deadlocks(given)).toEqual([])
  })

  test('given a holder outside of any scope, then no deadlock is reported', async () => {
    const given = givenWatchedPool({ max: 2 })
    await given.pool.acquire()
    await withDeadlockDetection(async () => {
      await given.pool.acquire()
      new Outcome(given.pool.acquire())
    })
    await given.clock.advance(5_000)
    expect(deadlocks(given)).toEqual([])
  })
})

describe('diagnostics channels', () => {
  test('given a subscriber, then acquires, releases and events are published with the name of the pool', async () => {
    const heard: unknown[] = []
    const channels = ['acquire', 'release', 'opened', 'drained'].map((name) => `poolguard:${name}`)
    const listen = (message: unknown, channel: string | symbol) => heard.push([channel, message])
    for (const channel of channels) subscribe(channel, listen)
    const { pool, clock } = givenPool()
    const lease = await pool.acquire()
    await clock.advance(5)
    lease.release()
    await pool.drain()
    for (const channel of channels) unsubscribe(channel, listen)

    expect(heard).toEqual([
      ['poolguard:opened', { pool: 'app', type: 'opened', millis: 0 }],
      ['poolguard:acquire', { pool: 'app', waitedMillis: 0 }],
      ['poolguard:release', { pool: 'app', usedMillis: 5 }],
      ['poolguard:drained', { pool: 'app', type: 'drained', forced: 0 }],
    ])
  })
})

describe('a pool with slow validations or an unreachable server', () => {
  test('given a slow validation that has ended, then a waiter counts on the next one as on any other', async () => {
    const { pool, factory, clock } = givenPool({ max: 5, validateAfterIdleMillis: 0, connectTimeoutMillis: 5_000 })
    ;(await pool.acquire()).release()
    await clock.advance(10)
    const slow = Promise.withResolvers<boolean>()
    factory.onValidate = () => slow.promise
    const first = new Outcome(pool.acquire())
    await clock.advance(100)
    slow.resolve(true)
    await settled()
    first.value?.release()
    await clock.advance(10)
    const { opened, idle } = pool.stats()
    factory.onValidate = () => new Promise(() => {})
    new Outcome(pool.acquire())
    await settled()

    expect(pool.stats()).toMatchObject({ validating: 1, idle: idle - 1, opened, connecting: 0 })
  })

  test('given a slow validation, then connections are opened for the waiters', async () => {
    const { pool, factory, clock } = givenPool({ max: 2, validateAfterIdleMillis: 0, connectTimeoutMillis: 5_000 })
    ;(await pool.acquire()).release()
    await clock.advance(10)
    factory.onValidate = () => new Promise(() => {})
    const waiting = new Outcome(pool.acquire())
    await clock.advance(99)
    expect(waiting.state).toBe('pending')
    await clock.advance(1)
    expect(waiting.value?.resource.id).toBe(1)
  })

  test('given a caller without a deadline and an unreachable server, then the caller is rejected', async () => {
    const { pool, factory, clock } = givenPool(
      { acquireTimeoutMillis: Infinity },
      { classify: () => 'unavailable', random: () => 0.5 },
    )
    factory.onOpen = (opening) => opening.fail(new Error('connect ECONNREFUSED'))
    const waiting = new Outcome(pool.acquire())
    await clock.advance(9_900)
    expect(waiting.state).toBe('pending')
    await clock.advance(2_200)
    expect(waiting.error).toMatchObject({
      code: 'POOLGUARD_ACQUIRE_TIMEOUT',
      cause: { message: 'connect ECONNREFUSED' },
    })
  })

  test('given a permanent failure while other connections are open, then the waiters keep waiting for these', async () => {
    const { pool, factory } = givenPool({ max: 2 }, { classify: () => 'permanent' })
    const lease = await pool.acquire()
    factory.onOpen = (opening) => opening.fail(new Error('wrong password'))
    const waiting = new Outcome(pool.acquire())
    await settled()
    expect(waiting.state).toBe('pending')
    expect(factory.openings).toHaveLength(2)
    lease.release()
    await settled()
    expect(waiting.state).toBe('fulfilled')
  })

  test('given invalid bounds, when it is resized, then it throws', () => {
    const { pool } = givenPool()
    expect(() => pool.resize({ max: 0 })).toThrow('Invalid option pool.max: 0')
    expect(() => pool.resize({ min: 11 })).toThrow('Invalid option pool.min: 11')
  })
})
