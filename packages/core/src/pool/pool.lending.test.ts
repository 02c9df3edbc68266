import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError, PoolSaturatedError } from './errors.ts'
import type { Lease } from './lease.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool } from './testing/pool-under-test.ts'

describe('lending', () => {
  test('given an empty pool, when someone asks, then a resource is opened and lent', async () => {
    const { pool, factory } = givenPool()
    const lease = await pool.acquire()

    expect(lease.resource).toBe(factory.opening(0).resource)
    expect(lease.active).toBe(true)
    expect(pool.stats()).toMatchObject({ total: 1, active: 1, idle: 0, acquired: 1, opened: 1 })
  })

  test('given several idle resources, when someone asks, then the one used last is lent', async () => {
    const { pool } = givenPool()
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    for (const index of [1, 2, 0]) leases[index]?.release()

    expect((await pool.acquire()).resource.id).toBe(0)
    expect((await pool.acquire()).resource.id).toBe(2)
    expect((await pool.acquire()).resource.id).toBe(1)
  })

  test('given several waiters, when resources come back, then they are served in the order they came', async () => {
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

  test('given a full line, when the pool itself needs a resource, then it goes first, and is not turned away', async () => {
    const { pool } = givenPool({ max: 1, maxWaiters: 1 })
    const held = await pool.acquire()
    const waiting = new Outcome(pool.acquire())
    const own = new Outcome(pool.acquire({ internal: 'first' }))
    held.release()
    await settled()

    expect([own.state, waiting.state]).toEqual(['fulfilled', 'pending'])
  })

  test('given the pool itself waits, then no caller is turned away for that', async () => {
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

  test('given all are lent, when the pool itself may have one beyond max, then that is opened, and one is closed again', async () => {
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

  test('given a resource that is to be kept, when there are too many, then another one goes, and who listens hears of it', async () => {
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

  test('given someone waits, when another asks while a resource comes back, then it does not overtake', async () => {
    const { pool } = givenPool({ max: 1 })
    const held = await pool.acquire()
    const first = new Outcome(pool.acquire())
    held.release()
    const second = new Outcome(pool.acquire())
    await settled()

    expect(first.state).toBe('fulfilled')
    expect(second.state).toBe('pending')
  })

  test('given a released lease, when it is released or destroyed again, then nothing happens', async () => {
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

  test('counts how long callers waited and leases lasted', async () => {
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
  test('given no resource comes free, when the time is over, then the caller is told what the pool looked like', async () => {
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

  test('given deadlines of different lengths, when time passes, then each is kept, whoever came first', async () => {
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

  test('given deadlines that lie closer together than the sweep, then none is missed by more than that', async () => {
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

  test('given timeoutMillis 0, when a resource is idle, then it is lent; when none is, then the caller hears so at once', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    const warm = await pool.acquire()
    warm.release()
    const lease = await pool.acquire({ timeoutMillis: 0 })
    expect(lease.active).toBe(true)

    const second = new Outcome(pool.acquire({ timeoutMillis: 0 }))
    await clock.advance(0)
    expect(second.error).toBeInstanceOf(AcquireTimeoutError)
  })

  test('given an infinite timeout, when years pass, then the caller still waits and is served in the end', async () => {
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

  test('given an infinite wait, when others with a deadline give up, then it goes on', async () => {
    const { pool, clock } = givenPool({ max: 1 })
    await pool.acquire()
    const endless = new Outcome(pool.acquire({ timeoutMillis: Infinity }))
    const short = new Outcome(pool.acquire({ timeoutMillis: 10 }))
    await clock.advance(1_000)

    expect([endless.state, short.state]).toEqual(['pending', 'rejected'])
  })

  test('given timers that ring slightly early, when the time is over, then the caller is told all the same', async () => {
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

  test('given a listener that frees a resource when someone times out, then the next waiter gets it and no one is forgotten', async () => {
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
  test('aborted before: the caller is turned away with its reason, and nothing is opened', async () => {
    const { pool, factory } = givenPool()
    const reason = new Error('request closed')

    await expect(pool.acquire({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(factory.openings).toHaveLength(0)
  })

  test('aborted while waiting: the caller leaves the queue with its reason, and the others move up', async () => {
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

  test('aborted after: the lease stays', async () => {
    const { pool } = givenPool({ max: 1 })
    const controller = new AbortController()
    const lease = await pool.acquire({ signal: controller.signal })
    controller.abort()
    await settled()

    expect(lease.active).toBe(true)
  })

  test('aborted after the timeout: the caller has been told already', async () => {
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
  test('given that many wait, when one more asks, then it is turned away at once', async () => {
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

  test('given 0, then callers are served as long as there is a free slot, those whose connection is being opened included', async () => {
    const { pool, factory } = givenPool({ max: 2, maxWaiters: 0 })
    factory.onOpen = () => {}
    const served = [new Outcome(pool.acquire()), new Outcome(pool.acquire())]
    const turnedAway = new Outcome(pool.acquire())
    for (const opening of factory.openings) opening.succeed()
    await settled()

    expect(served.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled'])
    expect(turnedAway.error).toBeInstanceOf(PoolSaturatedError)
  })

  test('given a waiter has left, when one more asks, then there is room again', async () => {
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
  test('given one that throws, then the pool goes on, and the error surfaces as uncaught', async () => {
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

  test('given one that asks for a resource itself, then it is served in its turn', async () => {
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

/** Runs it with nobody else listening for uncaught exceptions, and tells which there were. */
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
