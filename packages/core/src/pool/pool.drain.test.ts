import { describe, expect, test } from 'vitest'
import { AcquireTimeoutError, PoolClosedError } from './errors.ts'
import { FakeFactory, type FakeOpening, type FakeResource } from './testing/fake-factory.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool } from './testing/pool-under-test.ts'

describe('draining', () => {
  test('given idle resources, then they are closed, and it resolves when the server has closed them', async () => {
    const { pool, factory, events } = givenPool()
    const leases = await Promise.all([pool.acquire(), pool.acquire()])
    for (const lease of leases) lease.release()
    const closes: (() => void)[] = []
    factory.onClose = () => new Promise((resolve) => closes.push(resolve))
    const drained = new Outcome(pool.drain())
    await settled()
    expect(factory.closed).toEqual([0, 1])
    expect(drained.state).toBe('pending')
    for (const close of closes) close()
    await settled()

    expect(drained.state).toBe('fulfilled')
    expect(events.at(-1)).toEqual({ type: 'drained', forced: 0 })
    expect(pool.stats()).toMatchObject({ total: 0, closed: 2 })
  })

  test('given an empty pool, then it resolves immediately', async () => {
    const { pool, clock } = givenPool()
    await pool.drain()

    expect(clock.timers).toBe(0)
  })

  test('given waiters, then each is served when a connection is released, and it resolves after the last one', async () => {
    const { pool, factory, events } = givenPool({ max: 1 })
    const held = await pool.acquire()
    const waiting = [new Outcome(pool.acquire()), new Outcome(pool.acquire())]
    const drained = new Outcome(pool.drain())
    held.release()
    await settled()
    expect(waiting.map(({ state }) => state)).toEqual(['fulfilled', 'pending'])
    waiting[0]?.value?.release()
    await settled()
    expect(waiting[1]?.state).toBe('fulfilled')
    expect(factory.closed).toEqual([])
    waiting[1]?.value?.release()
    await settled()

    expect(factory.openings).toHaveLength(1)
    expect(drained.state).toBe('fulfilled')
    expect(events.at(-1)).toEqual({ type: 'drained', forced: 0 })
  })

  test('given waiters that are not served, when drainMillis have passed, then they are rejected', async () => {
    const { pool, clock } = givenPool({ max: 1, drainMillis: 1_000 })
    await pool.acquire()
    const waiting = [new Outcome(pool.acquire()), new Outcome(pool.acquire())]
    const drained = new Outcome(pool.drain())
    await clock.advance(999)
    expect(waiting.map(({ state }) => state)).toEqual(['pending', 'pending'])
    await clock.advance(1)

    for (const { error } of waiting) expect(error).toBeInstanceOf(PoolClosedError)
    expect(drained.state).toBe('fulfilled')
    expect(clock.timers).toBe(0)
  })

  test('given a waiter with an earlier deadline, then it times out, and the drain resolves', async () => {
    const { pool, factory, clock } = givenPool({ acquireTimeoutMillis: 100, drainMillis: 1_000 })
    factory.onOpen = () => {}
    const waiting = new Outcome(pool.acquire())
    const drained = new Outcome(pool.drain())
    await clock.advance(100)

    expect(waiting.error).toBeInstanceOf(AcquireTimeoutError)
    expect(factory.opening(0).signal.aborted).toBe(true)
    expect(drained.state).toBe('fulfilled')
  })

  test('given a waiter that is aborted, then the drain resolves', async () => {
    const { pool, factory } = givenPool()
    factory.onOpen = () => {}
    const abort = new AbortController()
    new Outcome(pool.acquire({ signal: abort.signal }))
    const drained = new Outcome(pool.drain())
    abort.abort()
    await settled()

    expect(drained.state).toBe('fulfilled')
  })

  test('given a pool without connections, then it opens as many as the waiters need', async () => {
    const { pool, factory } = givenPool({ max: 20 })
    const openings: FakeOpening[] = []
    factory.onOpen = (opening) => openings.push(opening)
    const waiting = Array.from({ length: 10 }, () => new Outcome(pool.acquire()))
    const drained = new Outcome(pool.drain())
    for (let opening = openings.shift(); opening; opening = openings.shift()) {
      opening.succeed()
      await settled()
    }
    expect(waiting.every(({ state }) => state === 'fulfilled')).toBe(true)
    for (const { value } of waiting) value?.release()
    await settled()

    expect(factory.openings).toHaveLength(10)
    expect(factory.closed).toHaveLength(10)
    expect(drained.state).toBe('fulfilled')
  })

  test('given an unreachable server, then the pool retries for its waiters', async () => {
    const { pool, factory, clock } = givenPool()
    factory.onOpen = (opening) => opening.fail(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))
    const waiting = new Outcome(pool.acquire())
    await settled()
    const drained = new Outcome(pool.drain())
    factory.onOpen = (opening) => opening.succeed()
    await clock.advance(1_000)
    expect(waiting.state).toBe('fulfilled')
    waiting.value?.release()
    await settled()

    expect(drained.state).toBe('fulfilled')
  })

  test('given internal waiters of the pool, then they are rejected immediately', async () => {
    const { pool } = givenPool({ max: 1 })
    const lease = await pool.acquire()
    const own = new Outcome(pool.acquire({ internal: 'queued' }))
    const caller = new Outcome(pool.acquire())
    const drained = new Outcome(pool.drain())
    await settled()
    expect(own.error).toBeInstanceOf(PoolClosedError)
    expect(caller.state).toBe('pending')
    lease.release()
    await settled()
    caller.value?.release()
    await settled()

    expect(drained.state).toBe('fulfilled')
  })

  test('given a drain in progress, when a caller acquires, then it is rejected, also after the drain', async () => {
    const { pool } = givenPool()
    const lease = await pool.acquire()
    const drained = pool.drain()
    await expect(pool.acquire()).rejects.toBeInstanceOf(PoolClosedError)
    lease.release()
    await drained

    await expect(pool.acquire()).rejects.toBeInstanceOf(PoolClosedError)
  })

  test('given leases, when they are released in time, then each connection is closed and none is forced', async () => {
    const { pool, factory, clock, events } = givenPool({ drainMillis: 1_000 })
    const lease = await pool.acquire()
    const drained = new Outcome(pool.drain())
    await clock.advance(999)
    expect(factory.closed).toEqual([])
    lease.release()
    await settled()

    expect(drained.state).toBe('fulfilled')
    expect(factory.resets).toEqual([])
    expect(events.at(-1)).toEqual({ type: 'drained', forced: 0 })
  })

  test('given leases that are not released, when drainMillis have passed, then their connections are closed anyway', async () => {
    const { pool, factory, clock, events } = givenPool({ drainMillis: 1_000 })
    const leases = await Promise.all([pool.acquire(), pool.acquire()])
    const drained = new Outcome(pool.drain())
    await clock.advance(1_000)

    expect(factory.closed).toEqual([0, 1])
    expect(drained.state).toBe('fulfilled')
    expect(events.slice(-3)).toEqual([
      { type: 'closed', reason: 'drain' },
      { type: 'closed', reason: 'drain' },
      { type: 'drained', forced: 2 },
    ])
    expect(leases.map(({ active }) => active)).toEqual([false, false])
    for (const lease of leases) lease.release()
    expect(pool.stats()).toMatchObject({ total: 0, closed: 2 })
  })

  test('given openings that no caller waits for, then they are aborted', async () => {
    const factory = new FakeFactory()
    factory.onOpen = () => {}
    const { pool } = givenPool({ min: 1 }, { factory })
    await pool.drain()

    expect(factory.opening(0).signal.aborted).toBe(true)
    expect(pool.stats().connectFailures).toEqual({ full: 0, unavailable: 0, permanent: 0 })
  })

  test('given an aborted opening that succeeds anyway, then its resource is closed before the drain resolves', async () => {
    const deaf = Promise.withResolvers<FakeResource>()
    const factory = new FakeFactory()
    factory.open = () => deaf.promise
    const { pool } = givenPool({ min: 1 }, { factory })
    const drained = new Outcome(pool.drain())
    await settled()
    expect(drained.state).toBe('pending')
    deaf.resolve({ id: 7 })
    await settled()

    expect(factory.closed).toEqual([7])
    expect(drained.state).toBe('fulfilled')
  })

  test('given a pause after a failed attempt, then the pause is cancelled, and nothing is opened afterwards', async () => {
    const { pool, factory, clock } = givenPool({ min: 1 }, { random: () => 1 })
    await settled()
    factory.onOpen = (opening) => opening.fail(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))
    factory.opening(0).lost()
    await settled()
    const attempts = factory.openings.length
    await pool.drain()
    await clock.advance(60_000)

    expect(factory.openings).toHaveLength(attempts)
    expect(clock.timers).toBe(0)
  })

  test('given a drain in progress, when called again, then it returns the same promise', async () => {
    const { pool } = givenPool()
    const first = pool.drain()

    expect(pool.drain()).toBe(first)
    await first
    expect(pool.drain()).toBe(first)
  })

  test('given a lease, when its connection is lost, then the drain does not wait for it', async () => {
    const { pool, factory, events } = givenPool()
    const lease = await pool.acquire()
    const drained = new Outcome(pool.drain())
    factory.opening(0).lost()
    await settled()

    expect(lease.active).toBe(false)
    expect(drained.state).toBe('fulfilled')
    expect(events.at(-1)).toEqual({ type: 'drained', forced: 0 })
  })

  test('given a resource being reset, when the reset succeeds, then it is closed and not lent', async () => {
    const { pool, factory, events } = givenPool()
    const lease = await pool.acquire()
    const cleaning = Promise.withResolvers<boolean>()
    factory.onReset = () => cleaning.promise
    lease.release()
    const drained = new Outcome(pool.drain())
    cleaning.resolve(true)
    await settled()

    expect(factory.closed).toEqual([0])
    expect(events).toContainEqual({ type: 'closed', reason: 'drain' })
    expect(drained.state).toBe('fulfilled')
  })

  test('given a close that never ends, then the drain waits for up to connectTimeoutMillis', async () => {
    const { pool, factory, clock } = givenPool({ connectTimeoutMillis: 100 })
    const lease = await pool.acquire()
    lease.release()
    factory.onClose = () => new Promise(() => {})
    const drained = new Outcome(pool.drain())
    await clock.advance(99)
    expect(drained.state).toBe('pending')
    await clock.advance(1)

    expect(drained.state).toBe('fulfilled')
  })

  test('given a drain in progress, when the pool is resized, then nothing is opened and the drain resolves', async () => {
    const { pool, factory } = givenPool({ max: 1 })
    const lease = await pool.acquire()
    const drained = new Outcome(pool.drain())
    pool.resize({ min: 3, max: 5 })
    lease.release()
    await settled()

    expect(drained.state).toBe('fulfilled')
    expect(factory.openings).toHaveLength(1)
  })

  test('given min, then closed connections are not replaced', async () => {
    const { pool, factory } = givenPool({ min: 3 })
    await settled()
    await pool.drain()
    await settled()

    expect(factory.openings).toHaveLength(3)
    expect(pool.stats()).toMatchObject({ total: 0, closed: 3 })
  })
})
