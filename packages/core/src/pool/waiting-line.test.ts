import { describe, expect, test } from 'vitest'
import { MAX_TIMER_MILLIS } from '../clock.ts'
import { ManualClock, settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool } from './testing/pool-under-test.ts'

/** Records how long the timers take that keep a process alive. */
class TimedClock extends ManualClock {
  readonly foreground: number[] = []

  override after(millis: number, callback: () => void, options?: { readonly background?: boolean }): () => void {
    if (!options?.background) this.foreground.push(millis)
    return super.after(millis, callback, options)
  }
}

describe('a caller that waits', () => {
  test.each([
    ['with a deadline', 1_000],
    ['without one', Infinity],
  ])('keeps the process alive, %s, until it is served', async (_deadline, acquireTimeoutMillis) => {
    const { pool, clock } = givenPool({ max: 1, acquireTimeoutMillis })
    const held = await pool.acquire()
    expect(clock.foregroundTimers).toBe(0)
    const waiting = [new Outcome(pool.acquire()), new Outcome(pool.acquire())]
    expect(clock.foregroundTimers).toBe(1)
    held.release()
    await settled()
    expect(clock.foregroundTimers).toBe(1)
    waiting[0]?.value?.release()
    await settled()
    expect(clock.foregroundTimers).toBe(0)
    waiting[1]?.value?.release()
  })

  test('keeps the process alive until its deadline or its abort, and no longer', async () => {
    const { pool, clock } = givenPool({ max: 1, acquireTimeoutMillis: 1_000 })
    await pool.acquire()
    const late = new Outcome(pool.acquire())
    await clock.advance(1_000)
    expect(late.state).toBe('rejected')
    expect(clock.foregroundTimers).toBe(0)
    const abort = new AbortController()
    const aborted = new Outcome(pool.acquire({ signal: abort.signal }))
    expect(clock.foregroundTimers).toBe(1)
    abort.abort()
    await settled()

    expect(aborted.state).toBe('rejected')
    expect(clock.foregroundTimers).toBe(0)
  })

  test('keeps the process alive while the server is unreachable, unlike the pause between attempts', async () => {
    const { pool, clock, factory } = givenPool({ min: 1, acquireTimeoutMillis: 100 }, { random: () => 1 })
    await settled()
    factory.onOpen = (opening) => opening.fail(Object.assign(new Error('no'), { code: 'ECONNREFUSED' }))
    factory.opening(0).lost()
    await settled()
    expect(clock.timers).toBeGreaterThan(0)
    expect(clock.foregroundTimers).toBe(0)
    new Outcome(pool.acquire())
    expect(clock.foregroundTimers).toBeGreaterThan(0)
    await clock.advance(100)

    expect(clock.foregroundTimers).toBe(0)
  })

  test('with a deadline is looked at ten times a second, however long other waits take', async () => {
    const clock = new TimedClock()
    const { pool } = givenPool({ max: 1 }, { clock })
    await pool.acquire()
    clock.foreground.length = 0
    new Outcome(pool.acquire({ timeoutMillis: 1_000 }))
    new Outcome(pool.acquire({ timeoutMillis: Infinity }))
    new Outcome(pool.acquire({ internal: 'queued', timeoutMillis: Infinity }))
    await clock.advance(450)

    expect(clock.foreground).toEqual([100, 100, 100, 100, 100])
  })

  test('without a deadline is not looked at because of a wait of the pool itself', async () => {
    const clock = new TimedClock()
    const { pool } = givenPool({ max: 1 }, { clock })
    await pool.acquire()
    clock.foreground.length = 0
    new Outcome(pool.acquire({ timeoutMillis: Infinity }))
    new Outcome(pool.acquire({ internal: 'queued', timeoutMillis: 1_000 }))
    await clock.advance(450)

    expect(clock.foreground).toEqual([MAX_TIMER_MILLIS])
  })

  test('gets an error that says how long the event loop was blocked during the wait', async () => {
    const { pool, clock } = givenPool({ max: 1, acquireTimeoutMillis: 1_000 })
    clock.blockedMillis = 5_000
    await pool.acquire()
    const blocked = new Outcome(pool.acquire())
    await clock.advance(100)
    clock.blockedMillis += 800
    await clock.advance(900)
    const unblocked = new Outcome(pool.acquire())
    await clock.advance(1_000)

    expect((blocked.error as Error).message).toContain('was blocked for 800 ms of that time')
    expect((unblocked.error as Error).message).not.toContain('blocked')
  })
})

test('an internal wait of the pool does not keep the process alive', async () => {
  const { pool, clock } = givenPool({ max: 1 })
  await pool.acquire()
  const own = new Outcome(pool.acquire({ internal: 'queued' }))
  await settled()

  expect(own.state).toBe('pending')
  expect(clock.foregroundTimers).toBe(0)
})
