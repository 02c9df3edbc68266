import { describe, expect, test } from 'vitest'
import type { Lease } from './lease.ts'
import type { CloseReason } from './pool-events.ts'
import { FakeFactory, type FakeResource } from './testing/fake-factory.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool, type PoolUnderTest } from './testing/pool-under-test.ts'

/** Opens this many resources and makes them idle, in the order of their ids. */
async function warmUp({ pool }: PoolUnderTest, count: number): Promise<void> {
  const leases = await Promise.all(Array.from({ length: count }, () => pool.acquire()))
  for (const lease of leases) lease.release()
  await settled()
}

function reasons({ events }: PoolUnderTest): CloseReason[] {
  return events.flatMap((event) => (event.type === 'closed' ? [event.reason] : []))
}

test('given a pool that is resized, then the share in use is measured against max over time', async () => {
  const { pool, clock } = givenPool({ max: 10 })
  const lease = await pool.acquire()
  await clock.advance(1_000)
  pool.resize({ max: 5 })
  await clock.advance(1_000)
  expect(pool.stats()).toMatchObject({ max: 5, leasedMillis: 2_000, capacityMillis: 15_000 })
  lease.release()
})

describe('min', () => {
  test('is opened immediately, without callers', async () => {
    const { pool, factory } = givenPool({ min: 3 })
    await settled()

    expect(factory.openings).toHaveLength(3)
    expect(pool.stats()).toMatchObject({ idle: 3, total: 3 })
  })

  test('is opened four at a time too', () => {
    const factory = new FakeFactory()
    factory.onOpen = () => {}
    givenPool({ max: 20, min: 20 }, { factory })

    expect(factory.openings).toHaveLength(4)
  })

  test('is restored after a loss', async () => {
    const { pool, factory } = givenPool({ min: 2 })
    await settled()
    factory.opening(0).lost()
    await settled()

    expect(factory.openings).toHaveLength(3)
    expect(pool.stats()).toMatchObject({ idle: 2, total: 2 })
  })

  test('stays open after the idle timeout; connections above min are closed', async () => {
    const given = givenPool({ min: 2, idleTimeoutMillis: 1_000 })
    await warmUp(given, 5)
    await given.clock.advance(1_000)

    expect(given.pool.stats()).toMatchObject({ idle: 2, total: 2, closed: 3 })
    expect(reasons(given)).toEqual(['idle', 'idle', 'idle'])
    await given.clock.advance(100_000)
    expect(given.pool.stats()).toMatchObject({ idle: 2, opened: 5 })
  })

  test('is replaced at the end of its lifetime', async () => {
    const { pool, clock } = givenPool({ min: 1, maxLifetimeMillis: 1_000 })
    await clock.advance(1_000)

    expect(pool.stats()).toMatchObject({ idle: 1, opened: 2, closed: 1 })
  })

  test('when lowered, then connections that were idle for too long are closed', async () => {
    const { pool, clock } = givenPool({ min: 2, idleTimeoutMillis: 1_000 })
    await clock.advance(5_000)
    pool.resize({ min: 0 })
    await clock.advance(1_000)

    expect(pool.stats()).toMatchObject({ total: 0 })
  })

  test('when raised, then missing connections are opened', async () => {
    const { pool } = givenPool({ min: 0 })
    pool.resize({ min: 2 })
    await settled()

    expect(pool.stats()).toMatchObject({ idle: 2 })
  })
})

describe('the idle timeout', () => {
  test('closes resources that were idle for that long, the longest first', async () => {
    const given = givenPool({ idleTimeoutMillis: 1_000 })
    await warmUp(given, 2)
    await given.clock.advance(600)
    const lease = await given.pool.acquire()
    lease.release()
    await given.clock.advance(400)
    expect(given.factory.closed).toEqual([0])
    await given.clock.advance(599)
    expect(given.factory.closed).toEqual([0])
    await given.clock.advance(1)

    expect(given.factory.closed).toEqual([0, 1])
  })

  test('given Infinity, then idle resources stay until the end of their lifetime', async () => {
    const given = givenPool({ idleTimeoutMillis: Infinity, maxLifetimeMillis: 1e6 })
    await warmUp(given, 1)
    await given.clock.advance(999_999)
    expect(given.factory.closed).toEqual([])
    await given.clock.advance(1)

    expect(reasons(given)).toEqual(['lifetime'])
  })

  test('given Infinity for the lifetime too, then there is no timer', async () => {
    const given = givenPool({ idleTimeoutMillis: Infinity, maxLifetimeMillis: Infinity })
    await warmUp(given, 1)
    await given.clock.advance(60_000)

    expect(given.clock.timers).toBe(0)
  })

  test('given 0, then a resource without a waiter is closed on the next turn', async () => {
    const { pool, factory, clock } = givenPool({ max: 1, idleTimeoutMillis: 0 })
    const lease = await pool.acquire()
    const waiting = new Outcome<Lease<FakeResource>>(pool.acquire())
    lease.release()
    await clock.advance(0)
    expect(factory.closed).toEqual([])
    waiting.value?.release()
    await clock.advance(0)

    expect(factory.closed).toEqual([0])
  })

  test('does not keep the process alive', async () => {
    const given = givenPool()
    await warmUp(given, 1)
    await given.clock.advance(10_000)

    expect(given.clock.timers).toBeGreaterThan(0)
    expect(given.clock.foregroundTimers).toBe(0)
  })
})

describe('the lifetime', () => {
  test('given random values, then each resource gets up to 10 % less', async () => {
    const chances = [0, 0.5, 1]
    const given = givenPool(
      { idleTimeoutMillis: Infinity, maxLifetimeMillis: 1_000 },
      { random: () => chances.shift() ?? 0 },
    )
    await warmUp(given, 3)
    const closedAfter: number[] = []
    for (const millis of [899, 1, 49, 1, 49, 1]) {
      await given.clock.advance(millis)
      closedAfter.push(given.factory.closed.length)
    }

    expect(closedAfter).toEqual([0, 1, 1, 2, 2, 3])
    expect(given.factory.closed).toEqual([2, 1, 0])
  })

  test('given a lease that outlives it, then the resource is closed at its release', async () => {
    const given = givenPool({ maxLifetimeMillis: 1_000 })
    const lease = await given.pool.acquire()
    await given.clock.advance(2_000)
    expect(given.factory.closed).toEqual([])
    lease.release()
    await settled()

    expect(reasons(given)).toEqual(['lifetime'])
  })

  test('given it ends before the next housekeeping, then the resource is not lent again', async () => {
    const given = givenPool({ maxLifetimeMillis: 1_000 })
    await warmUp(given, 1)
    given.clock.after = () => () => {}
    await given.clock.advance(999)
    const now = given.clock.now
    given.clock.now = () => now.call(given.clock) + 1
    const lease = await given.pool.acquire()

    expect(lease.resource.id).toBe(1)
    expect(given.factory.closed).toEqual([0])
  })
})

describe('maxUses', () => {
  test('given that many checkouts, then the resource is closed at its release', async () => {
    const given = givenPool({ max: 1, maxUses: 2 })
    const ids: number[] = []
    for (let use = 0; use < 5; use++) {
      const lease = await given.pool.acquire()
      ids.push(lease.resource.id)
      lease.release()
    }

    expect(ids).toEqual([0, 0, 1, 1, 2])
    expect(reasons(given)).toEqual(['uses', 'uses'])
    expect(given.factory.resets).toEqual([0, 1, 2])
  })
})

describe('validation', () => {
  test('given a resource idle for no longer than validateAfterIdleMillis, then it is lent without validation', async () => {
    const given = givenPool({ validateAfterIdleMillis: 500 })
    await warmUp(given, 1)
    await given.clock.advance(500)
    await given.pool.acquire()

    expect(given.factory.validated).toEqual([])
  })

  test('given it has been idle for longer, then it is validated first', async () => {
    const given = givenPool({ validateAfterIdleMillis: 500 })
    await warmUp(given, 1)
    await given.clock.advance(501)
    const lease = await given.pool.acquire()

    expect(given.factory.validated).toEqual([0])
    expect(lease.resource.id).toBe(0)
  })

  test.each([
    ['returns false', async () => false],
    ['rejects', async () => Promise.reject(new Error('gone'))],
    [
      'throws',
      () => {
        throw new Error('gone')
      },
    ],
  ])('given the validation %s, then the same caller gets a new resource', async (_, answer) => {
    const given = givenPool({ max: 1, validateAfterIdleMillis: 500 })
    await warmUp(given, 1)
    await given.clock.advance(501)
    given.factory.onValidate = answer
    const lease = await given.pool.acquire()

    expect(lease.resource.id).toBe(1)
    expect(reasons(given)).toEqual(['invalid'])
    expect(given.pool.stats()).toMatchObject({ total: 1, active: 1, acquired: 2 })
  })

  test('given all idle resources are dead, then they are replaced one by one, within the same acquire', async () => {
    const given = givenPool({ max: 3, validateAfterIdleMillis: 500 })
    await warmUp(given, 3)
    await given.clock.advance(501)
    given.factory.onValidate = async () => false
    const lease = await given.pool.acquire()

    expect(lease.resource.id).toBe(3)
    expect(given.factory.validated).toEqual([2, 1, 0])
  })

  test('given no answer, then the caller waits for at most connectTimeoutMillis', async () => {
    const given = givenPool({ max: 1, validateAfterIdleMillis: 500, connectTimeoutMillis: 100 })
    await warmUp(given, 1)
    await given.clock.advance(501)
    given.factory.onValidate = () => new Promise(() => {})
    const waiting = new Outcome(given.pool.acquire())
    await given.clock.advance(99)
    expect(waiting.state).toBe('pending')
    await given.clock.advance(1)

    expect(waiting.value?.resource.id).toBe(1)
    expect(reasons(given)).toEqual(['invalid'])
  })

  test('given the caller has left meanwhile, then the resource becomes idle again', async () => {
    const given = givenPool({ validateAfterIdleMillis: 500 })
    await warmUp(given, 1)
    await given.clock.advance(501)
    const check = Promise.withResolvers<boolean>()
    given.factory.onValidate = () => check.promise
    new Outcome(given.pool.acquire({ timeoutMillis: 10 }))
    await given.clock.advance(10)
    expect(given.pool.stats()).toMatchObject({ validating: 1, idle: 0, active: 0, total: 1 })
    check.resolve(true)
    await settled()

    expect(given.pool.stats()).toMatchObject({ idle: 1, active: 0, waiting: 0, total: 1 })
  })

  test('given a resource was lost, then each that was open at that time is validated once before it is lent again', async () => {
    const given = givenPool({ max: 5, validateAfterIdleMillis: 500 })
    await warmUp(given, 3)
    const inUse = await given.pool.acquire()
    given.factory.opening(0).lost()
    await given.clock.advance(1)
    inUse.release()
    await settled()
    expect(given.factory.validated).toEqual([2])
    for (let times = 0; times < 2; times++) {
      const leases = [await given.pool.acquire(), await given.pool.acquire(), await given.pool.acquire()]
      expect(leases.map(({ resource }) => resource.id).sort()).toEqual([1, 2, 3])
      for (const lease of leases) lease.release()
    }

    expect(given.factory.validated).toEqual([2, 1])
  })

  test('given the server has stopped, then a caller that waits gets no resource that is about to be lost', async () => {
    const given = givenPool({ max: 2, validateAfterIdleMillis: 500 })
    const first = await given.pool.acquire()
    const second = await given.pool.acquire()
    const waiting = new Outcome(given.pool.acquire())
    given.factory.opening(first.resource.id).lost()
    given.factory.onValidate = async () => false
    second.release()
    await settled()

    expect(waiting.value?.resource.id).toBe(2)
  })

  test('given another resource was lost and validateAfterIdleMillis is Infinity, then nothing is validated', async () => {
    const given = givenPool({ validateAfterIdleMillis: Infinity })
    await warmUp(given, 2)
    given.factory.opening(0).lost()
    await given.clock.advance(1)
    await given.pool.acquire()

    expect(given.factory.validated).toEqual([])
  })

  test('given a factory without validate, then nothing is validated', async () => {
    const factory = new FakeFactory()
    Object.defineProperty(factory, 'check', { value: undefined })
    const given = givenPool({}, { factory })
    await warmUp(given, 1)
    await given.clock.advance(20_000)
    const lease = await given.pool.acquire()

    expect(lease.resource.id).toBe(0)
  })
})

describe('reset', () => {
  test('given it returns true synchronously, then the next caller gets the resource immediately', async () => {
    const { pool, factory } = givenPool({ max: 1 })
    const lease = await pool.acquire()
    lease.release()

    expect(factory.resets).toEqual([0])
    expect(pool.stats()).toMatchObject({ idle: 1, active: 0 })
  })

  test('given a promise, then the resource is neither idle nor leased until it is fulfilled', async () => {
    const { pool, factory } = givenPool({ max: 1 })
    const lease = await pool.acquire()
    const cleaning = Promise.withResolvers<boolean>()
    factory.onReset = () => cleaning.promise
    lease.release()
    const waiting = new Outcome(pool.acquire())
    await settled()
    expect(pool.stats()).toMatchObject({ idle: 0, active: 0, total: 1, waiting: 1 })
    cleaning.resolve(true)
    await settled()

    expect(waiting.value?.resource.id).toBe(0)
  })

  test.each([
    ['returns false', () => false],
    ['resolves to false', async () => false],
    ['rejects', async () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
  ])('given the reset %s, then the resource is replaced', async (_, answer) => {
    const given = givenPool({ max: 1 })
    const lease = await given.pool.acquire()
    given.factory.onReset = answer
    expect(() => lease.release()).not.toThrow()
    const next = await given.pool.acquire()

    expect(next.resource.id).toBe(1)
    expect(reasons(given)).toEqual(['invalid'])
    expect(given.pool.stats()).toMatchObject({ total: 1, active: 1 })
  })

  test('given another resource was lost meanwhile, then it is validated only if the reset succeeds', async () => {
    const given = givenPool({ max: 3 })
    const leases = [await given.pool.acquire(), await given.pool.acquire(), await given.pool.acquire()]
    given.factory.opening(0).lost()
    given.factory.onReset = ({ id }) => id === 1
    for (const lease of leases) lease.release()
    await settled()

    expect(given.factory.validated).toEqual([1])
    expect(reasons(given)).toEqual(['lost', 'invalid'])
  })

  test('given no answer, then the resource is closed after connectTimeoutMillis', async () => {
    const given = givenPool({ max: 1, connectTimeoutMillis: 100 })
    const lease = await given.pool.acquire()
    given.factory.onReset = () => new Promise(() => {})
    lease.release()
    const waiting = new Outcome(given.pool.acquire())
    await given.clock.advance(100)

    expect(waiting.value?.resource.id).toBe(1)
    expect(reasons(given)).toEqual(['invalid'])
  })
})

describe('resizing', () => {
  test('when max grows, then waiters are served immediately', async () => {
    const { pool, events } = givenPool({ max: 1 })
    await pool.acquire()
    const waiting = [new Outcome(pool.acquire()), new Outcome(pool.acquire())]
    pool.resize({ max: 2 })
    await settled()

    expect(waiting.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
    expect(events).toContainEqual({ type: 'resized', min: 0, max: 2 })
  })

  test('when max shrinks, then surplus idle resources are closed immediately, the longest idle first', async () => {
    const given = givenPool({ max: 5 })
    await warmUp(given, 4)
    given.pool.resize({ max: 2 })
    await settled()

    expect(given.factory.closed).toEqual([0, 1])
    expect(reasons(given)).toEqual(['over-max', 'over-max'])
    expect(given.pool.stats()).toMatchObject({ total: 2, max: 2 })
  })

  test('when max shrinks, then surplus leased resources are closed at their release, and waiters wait for the remaining ones', async () => {
    const given = givenPool({ max: 3 })
    const leases = await Promise.all([given.pool.acquire(), given.pool.acquire(), given.pool.acquire()])
    given.pool.resize({ max: 1 })
    const waiting = new Outcome(given.pool.acquire())
    leases[0]?.release()
    leases[1]?.release()
    await settled()
    expect(given.factory.closed).toEqual([0, 1])
    expect(waiting.state).toBe('pending')
    leases[2]?.release()
    await settled()

    expect(waiting.value?.resource.id).toBe(2)
  })

  test('when max shrinks while resources are being opened, then surplus ones are closed as soon as they are open', async () => {
    const given = givenPool({ max: 2 })
    given.factory.onOpen = () => {}
    const waiting = [new Outcome(given.pool.acquire()), new Outcome(given.pool.acquire())]
    given.pool.resize({ max: 1 })
    for (const opening of given.factory.openings) opening.succeed()
    await settled()

    expect(waiting.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
    expect(reasons(given)).toEqual(['over-max'])
  })

  test('when the bounds are the same, then no event is emitted', () => {
    const { pool, events } = givenPool({ max: 2, min: 0 })
    pool.resize({ max: 2 })
    pool.resize({})

    expect(events).toEqual([])
  })
})

describe('a lost connection', () => {
  test('given it was idle, then it is closed and never lent again', async () => {
    const given = givenPool()
    await warmUp(given, 2)
    given.factory.opening(1).lost()
    const lease = await given.pool.acquire()
    await settled()

    expect(lease.resource.id).toBe(0)
    expect(reasons(given)).toEqual(['lost'])
  })

  test('given it was leased, then its slot becomes free without a release, and a late release does nothing', async () => {
    const given = givenPool({ max: 1 })
    const lease = await given.pool.acquire()
    const waiting = new Outcome<Lease<FakeResource>>(given.pool.acquire())
    given.factory.opening(0).lost()
    await settled()
    expect(lease.active).toBe(false)
    expect(waiting.value?.resource.id).toBe(1)
    lease.release()
    lease.destroy()
    await settled()

    expect(waiting.value?.active).toBe(true)
    expect(given.pool.stats()).toMatchObject({ total: 1, active: 1, closed: 1 })
  })

  test('given it was being validated, then the caller gets another one', async () => {
    const given = givenPool({ max: 1 })
    await warmUp(given, 1)
    await given.clock.advance(501)
    const check = Promise.withResolvers<boolean>()
    given.factory.onValidate = () => check.promise
    const waiting = new Outcome(given.pool.acquire())
    given.factory.opening(0).lost()
    await settled()
    expect(waiting.value?.resource.id).toBe(1)
    check.resolve(true)
    await settled()

    expect(given.pool.stats()).toMatchObject({ total: 1, active: 1, idle: 0 })
  })

  test('given it was being reset, then it is not lent again', async () => {
    const given = givenPool({ max: 1 })
    const lease = await given.pool.acquire()
    const cleaning = Promise.withResolvers<boolean>()
    given.factory.onReset = () => cleaning.promise
    lease.release()
    given.factory.opening(0).lost()
    cleaning.resolve(true)
    await settled()

    expect(given.pool.stats()).toMatchObject({ total: 0, active: 0, idle: 0 })
    expect(reasons(given)).toEqual(['lost'])
  })

  test.each([
    ['returns true', true],
    ['returns false', false],
    ['returns a promise', Promise.resolve(true)],
  ])('given the reset itself detects the loss and %s, then the resource is not lent again', async (_, answer) => {
    const given = givenPool({ max: 1 })
    const lease = await given.pool.acquire()
    given.factory.onReset = () => {
      given.factory.opening(0).lost()
      return answer
    }
    lease.release()
    await settled()

    expect(given.pool.stats()).toMatchObject({ total: 0, active: 0, idle: 0 })
    expect((await given.pool.acquire()).resource.id).toBe(1)
    expect(reasons(given)).toEqual(['lost'])
  })

  test('given the validation itself detects the loss, then the caller gets another resource', async () => {
    const given = givenPool({ max: 1 })
    await warmUp(given, 1)
    await given.clock.advance(501)
    given.factory.onValidate = async () => {
      given.factory.opening(0).lost()
      return true
    }
    const lease = await given.pool.acquire()
    await settled()

    expect(lease.resource.id).toBe(1)
    expect(given.pool.stats()).toMatchObject({ total: 1, active: 1, idle: 0 })
  })

  test('given it was lost before the opening was done, then the caller gets another one', async () => {
    const given = givenPool({ max: 1 })
    given.factory.onOpen = (opening) => {
      if (opening.resource.id === 0) opening.lost()
      opening.succeed()
    }
    const lease = await given.pool.acquire()

    expect(lease.resource.id).toBe(1)
    expect(lease.active).toBe(true)
    expect(given.pool.stats()).toMatchObject({ total: 1, active: 1, acquired: 1 })
    expect(reasons(given)).toEqual(['lost'])
  })

  test('given the loss is reported twice, or after closing, then it counts once', async () => {
    const given = givenPool({ max: 1 })
    const lease = await given.pool.acquire()
    given.factory.opening(0).lost()
    given.factory.opening(0).lost()
    lease.destroy()
    await settled()
    given.factory.opening(0).lost()
    await settled()

    expect(given.factory.closed).toEqual([0])
    expect(given.pool.stats()).toMatchObject({ total: 0, closed: 1 })
  })
})

describe('a closing resource', () => {
  test('keeps its slot until the server has closed it', async () => {
    const given = givenPool({ max: 1 })
    const lease = await given.pool.acquire()
    const close = Promise.withResolvers<void>()
    given.factory.onClose = () => close.promise
    lease.destroy()
    const waiting = new Outcome(given.pool.acquire())
    await settled()
    expect(given.factory.openings).toHaveLength(1)
    expect(given.pool.stats()).toMatchObject({ closing: 1, total: 1 })
    close.resolve()
    await settled()

    expect(waiting.state).toBe('fulfilled')
    expect(given.pool.stats()).toMatchObject({ closing: 0, total: 1 })
  })

  test('keeps its slot for at most connectTimeoutMillis', async () => {
    const given = givenPool({ max: 1, connectTimeoutMillis: 100 })
    const lease = await given.pool.acquire()
    given.factory.onClose = () => new Promise(() => {})
    lease.destroy()
    const waiting = new Outcome(given.pool.acquire())
    await given.clock.advance(99)
    expect(given.factory.openings).toHaveLength(1)
    await given.clock.advance(1)

    expect(waiting.state).toBe('fulfilled')
  })

  test.each([
    ['rejects', async () => Promise.reject(new Error('no'))],
    [
      'throws',
      () => {
        throw new Error('no')
      },
    ],
  ])('given a close that %s, then its slot becomes free anyway', async (_, close) => {
    const given = givenPool({ max: 1 })
    const lease = await given.pool.acquire()
    given.factory.onClose = close
    expect(() => lease.destroy()).not.toThrow()
    const next = await given.pool.acquire()

    expect(next.resource.id).toBe(1)
    expect(given.pool.stats()).toMatchObject({ total: 1, closing: 0, closed: 1 })
  })
})

describe('closeIdle', () => {
  test('closes idle resources, resolves when the server has closed them, and the pool keeps working', async () => {
    const given = givenPool({ max: 3 })
    await warmUp(given, 3)
    const busy = await given.pool.acquire()
    const closed = new Outcome(given.pool.closeIdle())
    await settled()

    expect(closed.state).toBe('fulfilled')
    expect(given.pool.stats()).toMatchObject({ idle: 0, active: 1, total: 1 })
    busy.release()
    await settled()
    expect(given.pool.stats()).toMatchObject({ idle: 1, total: 1 })
  })

  test('resolves immediately for an empty pool', async () => {
    const closed = new Outcome(givenPool().pool.closeIdle())
    await settled()

    expect(closed.state).toBe('fulfilled')
  })

  test('waits for openings without a waiter, and closes their resources, too', async () => {
    const factory = new FakeFactory()
    factory.onOpen = () => {}
    const { pool } = givenPool({ max: 3, min: 1 }, { factory })
    const closed = new Outcome(pool.closeIdle())
    await settled()
    expect(closed.state).toBe('pending')
    factory.opening(0).succeed()
    await settled()

    expect(closed.state).toBe('fulfilled')
    expect(factory.closed).toEqual([0])
  })
})

describe('retiring', () => {
  test('closes matching idle resources at once, and those in use at their release', async () => {
    const { pool, events } = givenPool({ max: 4 })
    const leases = await Promise.all([pool.acquire(), pool.acquire(), pool.acquire()])
    leases[0]?.release()
    leases[1]?.release()
    pool.retire(({ id }) => id !== 1)
    await settled()
    expect(pool.stats()).toMatchObject({ idle: 1, active: 1, closed: 1 })

    leases[2]?.release()
    await settled()
    expect(pool.stats()).toMatchObject({ idle: 1, active: 0, closed: 2 })
    expect(events.filter(({ type }) => type === 'closed')).toEqual([
      { type: 'closed', reason: 'retired' },
      { type: 'closed', reason: 'retired' },
    ])
    expect((await pool.acquire()).resource.id).toBe(1)
  })

  test('keeps a resource that is being validated from the caller that waits for it, who gets another one', async () => {
    const { pool, factory, clock } = givenPool({ max: 2, validateAfterIdleMillis: 10 })
    ;(await pool.acquire()).release()
    clock.skip(11)
    const verdict = Promise.withResolvers<boolean>()
    factory.onValidate = () => verdict.promise
    const next = pool.acquire()
    pool.retire(() => true)
    verdict.resolve(true)
    expect((await next).resource.id).toBe(1)
  })

  test('does not let the next caller continue on the same resource', async () => {
    const { pool } = givenPool()
    const lease = await pool.acquire()
    expect(lease.isLasting).toBe(true)
    pool.retire(() => true)
    expect(lease.isLasting).toBe(false)
  })
})
