import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError, PoolSaturatedError } from './errors.ts'
import type { Lease } from './lease.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool } from './testing/pool-under-test.ts'

describe('lending', () => {
  test('given an empty pool, when a caller acquires, then a resource is opened and lent', async () => {
    const { pool, factory } = givenPool()
    const lease = await pool.acquire()

    expect(lease.resource).toBe(factory.opening(0).resource)
    expect(lease.active).toBe(true)
    expect(pool.stats()).toMatchObject({ total: 1, active: 1, idle: 0, acquired: 1, opened: 1 })
  })

  test('given several idle resources, when a caller acquires, then the most recently used one is lent', async () => {
    const { pool } = givenPool()
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    for (const index of [1, 2, 0]) leases[index]?.release()

    expect((await pool.acquire()).resource.id).toBe(0)
    expect((await pool.acquire()).resource.id).toBe(2)
    expect((await pool.acquire()).resource.id).toBe(1)
  })

  test('given several waiters, when resources are released, then the waiters are served first come, first served', async () => {
    const { pool } = givenPool({ max: 1 })
    const order: number[] = []
    const first = await pool.acquire()
    const waiting = [1, 2, 3].map((place) =>
      pool.acquire().then((lease) => {
        order.push(place)
        lease.release()
      }),
    )
    first.release()
    await Promise.all(waiting)

    expect(order).toEqual([1, 2, 3])
  })

  test('given maxWaiters waiters, when the pool itself needs a resource, then it goes first, and is not rejected', async () => {
    const { pool } = givenPool({ max: 1, maxWaiters: 1 })
    const held = await pool.acquire()
    const waiting = new Outcome(pool.acquire())
    const own = new Outcome(pool.acquire({ internal: 'first' }))
    held.release()
    await settled()

    expect([own.state, waiting.state]).toEqual(['fulfilled', 'pending'])
  })

  test('given the pool itself waits, then no caller is rejected for it', async () => {
    const { pool } = givenPool({ max: 1, maxWaiters: 1 })
    const held = await pool.acquire()
    const own = new Outcome(pool.acquire({ internal: 'queued' }))
    const waiting = new Outcome(pool.acquire())
    const tooMany = new Outcome(pool.acquire())
    await settled()
    expect([own.state, waiting.state, tooMany.state]).toEqual(['pending', 'pending', 'rejected'])
    held.release()
    await settled()
    expect([own.state, waiting.state]).toEqual(['fulfilled', 'pending'])
  })

  test('given all resources are leased, when the pool itself acquires with overflow, then one more is opened, and one is closed again', async () => {
    const { pool, factory } = givenPool({ max: 2 })
    const [first] = [await pool.acquire(), await pool.acquire()]
    const waiting = new Outcome(pool.acquire())
    const own = await pool.acquire({ internal: 'overflow' })
    expect([own.resource.id, waiting.state, pool.counts.total]).toEqual([2, 'pending', 3])

    own.release()
    await settled()
    expect([factory.closed, waiting.state]).toEqual([[2], 'pending'])
    first.release()
    await settled()
    expect([pool.counts.total, waiting.state]).toEqual([2, 'fulfilled'])
  })

  test('given a pinned resource, when there are too many, then another one is closed, and onClosing is called', async () => {
    const gone: number[] = []
    const { pool } = givenPool({ max: 3 }, { isPinned: ({ id }) => id === 0, onClosing: ({ id }) => gone.push(id) })
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    leases[0]?.release()
    leases[1]?.release()
    pool.resize({ max: 1 })
    expect(gone).toEqual([1])
    const kept = await pool.acquire()
    kept.release()
    leases[2]?.release()
    await settled()
    expect([gone, pool.counts.total]).toEqual([[1, 2], 1])
  })

  test('given a waiter, when another caller acquires during a release, then it does not overtake the waiter', async () => {
    const { pool } = givenPool({ max: 1 })
    const held = await pool.acquire()
    const first = new Outcome(pool.acquire())
    held.release()
    const second = new Outcome(pool.acquire())
    await settled()

    expect(first.state).toBe('fulfilled')
    expect(second.state).toBe('pending')
  })

  test('given a released lease, when it is released or destroyed again, then nothing changes', async () => {
    const { pool } = givenPool({ max: 1 })
    const old = await pool.acquire()
    old.release()
    const current = await pool.acquire()
    old.release()
    old.destroy()
    await settled()

    expect(old.active).toBe(false)
    expect(current.active).toBe(true)
    expect(pool.stats()).toMatchObject({ total: 1, active: 1, idle: 0 })
  })

  test('given a lease, when it is destroyed, then its resource is closed and the next caller gets a new one', async () => {
    const { pool, factory, events } = givenPool({ max: 1 })
    const lease = await pool.acquire()
    lease.destroy()
    const next = await pool.acquire()

    expect(factory.closed).toEqual([0])
    expect(next.resource.id).toBe(1)
    expect(events).toContainEqual({ type: 'closed', reason: 'destroyed' })
  })

  test('measures the waits of callers and the durations of leases', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    const first = await pool.acquire()
    const second = pool.acquire()
    await clock.advance(30)
    first.release()
    const lease = await second
    await clock.advance(12)
    lease.release()

    expect(lease.since).toBe(30)
    expect(pool.stats()).toMatchObject({ acquired: 2, wait: { count: 2, sumMillis: 30 }, usage: { sumMillis: 42 } })
  })
})

describe('waiting', () => {
  test('given no release, when the timeout passes, then the error describes the state of the pool', async () => {
    const { pool, clock, events } = givenPool({ max: 1, acquireTimeoutMillis: 100 })
    await pool.acquire()
    const waiting = new Outcome(pool.acquire())
    await clock.advance(99)
    expect(waiting.state).toBe('pending')
    await clock.advance(1)

    expect(waiting.error).toBeInstanceOf(AcquireTimeoutError)
    expect(waiting.error).toMatchObject({
      waitedMillis: 100,
      pool: { active: 1, max: 1, oldestLeases: [{ heldMillis: 100 }] },
    })
    expect(events).toContainEqual({ type: 'timeout', error: waiting.error })
    expect(pool.stats()).toMatchObject({ waiting: 0, timeouts: 1 })
  })

  test('given different deadlines, when time passes, then each is met, independent of the order of callers', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    await pool.acquire()
    const deadlines = [500, 50, 200, 1_000]
    const outcomes = deadlines.map((timeoutMillis) => new Outcome(pool.acquire({ timeoutMillis })))
    const gaveUp = () => outcomes.map(({ state }) => state === 'rejected')

    await clock.advance(50)
    expect(gaveUp()).toEqual([false, true, false, false])
    await clock.advance(150)
    expect(gaveUp()).toEqual([false, true, true, false])
    await clock.advance(300)
    expect(gaveUp()).toEqual([true, true, true, false])
    await clock.advance(500)
    expect(gaveUp()).toEqual([true, true, true, true])
  })

  test('given deadlines closer together than the sweep interval, then none is missed by more than that interval', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    await pool.acquire()
    const waited: number[] = []
    for (let timeoutMillis = 100; timeoutMillis < 120; timeoutMillis++) {
      pool
        .acquire({ timeoutMillis })
        .catch((error: AcquireTimeoutError) => waited.push(error.waitedMillis - timeoutMillis))
    }
    await clock.advance(150)

    expect(waited).toHaveLength(20)
    for (const late of waited) {
      expect(late).toBeGreaterThanOrEqual(0)
      expect(late).toBeLessThanOrEqual(10)
    }
  })

  test('given timeoutMillis 0, when a resource is idle, then it is lent; without an idle one, the caller is rejected immediately', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    const warm = await pool.acquire()
    warm.release()
    const lease = await pool.acquire({ timeoutMillis: 0 })
    expect(lease.active).toBe(true)

    const second = new Outcome(pool.acquire({ timeoutMillis: 0 }))
    await clock.advance(0)
    expect(second.error).toBeInstanceOf(AcquireTimeoutError)
  })

  test('given an infinite timeout, when years pass, then the caller still waits and is served eventually', async () => {
    const { pool, clock } = givenPool({
      max: 1,
      acquireTimeoutMillis: Infinity,
      leakThresholdMillis: Infinity,
      longQueryMillis: Infinity,
    })
    const held = await pool.acquire()
    const waiting = new Outcome(pool.acquire())
    await clock.advance(1e12)
    expect(waiting.state).toBe('pending')
    held.release()
    await settled()

    expect(waiting.state).toBe('fulfilled')
  })

  test('given an infinite wait, when waiters with a deadline time out, then it continues', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    await pool.acquire()
    const endless = new Outcome(pool.acquire({ timeoutMillis: Infinity }))
    const short = new Outcome(pool.acquire({ timeoutMillis: 10 }))
    await clock.advance(1_000)

    expect([endless.state, short.state]).toEqual(['pending', 'rejected'])
  })

  test('given timers that fire slightly early, when the timeout passes, then the caller is still rejected', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    await pool.acquire()
    await clock.advance(0.4)
    const waiting = new Outcome(pool.acquire({ timeoutMillis: 20.5 }))
    const early = clock.after.bind(clock)
    clock.after = (millis, callback, options) => early(Math.max(0, millis - 0.7), callback, options)
    new Outcome(pool.acquire({ timeoutMillis: 10 }))
    await clock.advance(60)

    expect(waiting.state).toBe('rejected')
  })

  test('given a listener that releases a resource on a timeout, then the next waiter gets it and no waiter is forgotten', async () => {
    const { pool, clock } = givenPool(
      { max: 1 },
      {
        onEvent: ({ type }) => {
          if (type === 'timeout') held?.release()
        },
      },
    )
    const held: Lease<unknown> | undefined = await pool.acquire()
    const outcomes = [10, 10, 10, 50].map((timeoutMillis) => new Outcome(pool.acquire({ timeoutMillis })))
    await clock.advance(200)

    expect(outcomes.map(({ state }) => state)).toEqual(['rejected', 'fulfilled', 'rejected', 'rejected'])
    expect(pool.stats()).toMatchObject({ timeouts: 3, waiting: 0 })
  })
})

describe('an AbortSignal', () => {
  test('aborted before: the caller is rejected with its reason, and nothing is opened', async () => {
    const { pool, factory } = givenPool()
    const reason = new Error('request closed')

    await expect(pool.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(factory.openings).toHaveLength(0)
  })

  test('aborted while waiting: the caller is rejected with its reason, and the next waiters move up', async () => {
    const { pool } = givenPool({ max: 1 })
    const held = await pool.acquire()
    const controller = new AbortController()
    const leaving = new Outcome(pool.acquire({ signal: controller.signal }))
    const staying = new Outcome(pool.acquire())
    controller.abort(new Error('request closed'))
    expect(pool.stats().waiting).toBe(1)
    held.release()
    await settled()

    expect(leaving.error).toBe(controller.signal.reason)
    expect(staying.state).toBe('fulfilled')
  })

  test('aborted after the acquire: the lease stays active', async () => {
    const { pool } = givenPool({ max: 1 })
    const controller = new AbortController()
    const lease = await pool.acquire({ signal: controller.signal })
    controller.abort()
    await settled()

    expect(lease.active).toBe(true)
  })

  test('aborted after the timeout: the caller was rejected already', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    await pool.acquire()
    const controller = new AbortController()
    const waiting = new Outcome(pool.acquire({ signal: controller.signal, timeoutMillis: 10 }))
    await clock.advance(10)
    controller.abort()
    await settled()

    expect(waiting.error).toBeInstanceOf(AcquireTimeoutError)
    expect(waiting.settlements).toBe(1)
  })
})

describe('maxWaiters', () => {
  test('given maxWaiters waiters, when one more caller acquires, then it is rejected immediately', async () => {
    const { pool, events } = givenPool({ max: 1, maxWaiters: 2 })
    await pool.acquire()
    const waiting = [new Outcome(pool.acquire()), new Outcome(pool.acquire())]
    const turnedAway = new Outcome(pool.acquire())
    await settled()

    expect(turnedAway.error).toBeInstanceOf(PoolSaturatedError)
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending'])
    expect(events).toContainEqual({ type: 'saturated', error: turnedAway.error })
    expect(pool.stats().saturated).toBe(1)
  })

  test('given 0, then callers are served while a slot is free, including slots of connections that are being opened', async () => {
    const { pool, factory } = givenPool({ max: 2, maxWaiters: 0 })
    factory.onOpen = () => {}
    const served = [new Outcome(pool.acquire()), new Outcome(pool.acquire())]
    const turnedAway = new Outcome(pool.acquire())
    for (const opening of factory.openings) opening.succeed()
    await settled()

    expect(served.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled'])
    expect(turnedAway.error).toBeInstanceOf(PoolSaturatedError)
  })

  test('given a waiter has left, when one more caller acquires, then it may wait', async () => {
    const { pool, clock } = givenPool({ max: 1, maxWaiters: 1 })
    await pool.acquire()
    new Outcome(pool.acquire({ timeoutMillis: 10 }))
    await clock.advance(10)
    const next = new Outcome(pool.acquire())
    await settled()

    expect(next.state).toBe('pending')
  })
})

describe('listeners', () => {
  test('given a listener that throws, then the pool keeps working, and the error becomes an uncaught exception', async () => {
    const boom = new Error('listener')
    const { pool } = givenPool(
      { max: 1 },
      {
        onEvent: () => {
          throw boom
        },
      },
    )
    const uncaught = await uncaughtDuring(async () => {
      const lease = await pool.acquire()
      lease.destroy()
      expect((await pool.acquire()).active).toBe(true)
      await settled()
    })

    expect(uncaught).toEqual([boom, boom, boom])
  })

  test('given a listener that acquires a resource, then it is served in order', async () => {
    const asked: Outcome<unknown>[] = []
    const { pool } = givenPool(
      { max: 2 },
      {
        onEvent: ({ type }) => {
          if (type === 'opened' && asked.length === 0) asked.push(new Outcome(pool.acquire()))
        },
      },
    )
    const lease = await pool.acquire()
    await settled()

    expect(lease.resource.id).toBe(0)
    expect(asked.map(({ state }) => state)).toEqual(['fulfilled'])
    expect(pool.stats()).toMatchObject({ active: 2, waiting: 0 })
  })
})

/** Runs the callback without other listeners for uncaught exceptions, and returns the exceptions. */
async function uncaughtDuring(run: () => Promise<void>): Promise<unknown[]> {
  const others = process.listeners('uncaughtException')
  const uncaught: unknown[] = []
  const listen = (error: unknown) => uncaught.push(error)
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', listen)
  try {
    await run()
  } finally {
    process.off('uncaughtException', listen)
    for (const other of others) process.on('uncaughtException', other)
  }
  return uncaught
}
