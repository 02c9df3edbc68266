import { describe, expect, test } from 'vitest'
import { currentDeadline, DeadlineExceededError, effectiveSignal, runWithDeadline } from './deadline.ts'
import { settled } from './testing/manual-clock.ts'
import { Outcome } from './testing/outcome.ts'
import { givenPool } from './testing/pool-under-test.ts'

describe('a deadline', () => {
  test('applies to everything in its callback, and nothing after it', async () => {
    const { signal } = new AbortController()
    const within = await runWithDeadline(signal, async () => {
      await settled()
      return effectiveSignal()
    })

    expect(within).toBe(signal)
    expect(effectiveSignal()).toBeUndefined()
  })

  test('aborts its signal when the time has passed', async () => {
    const signal = await runWithDeadline(0, async () => {
      const found = effectiveSignal() as AbortSignal
      if (!found.aborted) await new Promise((resolve) => found.addEventListener('abort', resolve))
      return found
    })

    expect(signal.reason).toBeInstanceOf(DeadlineExceededError)
    expect(signal.reason).toMatchObject({ code: 'POOLGUARD_DEADLINE', limitMillis: 0 })
  })

  test('does not abort after its callback has ended', async () => {
    const signal = await runWithDeadline(5, async () => effectiveSignal() as AbortSignal)
    await new Promise((resolve) => setTimeout(resolve, 20))

    expect(signal.aborted).toBe(false)
  })

  test('runs a query builder no earlier than its caller, and returns any other value', () => {
    let runs = 0
    // biome-ignore lint/suspicious/noThenProperty: as query builders have one
    const builder = { then: () => runs++ }

    expect(runWithDeadline(1_000, () => builder)).toBe(builder)
    expect(runs).toBe(0)
    expect(runWithDeadline(1_000, () => 7)).toBe(7)
  })

  test('inside of another one ends with the earlier one', () => {
    const outer = new AbortController()
    const inner = new AbortController()
    runWithDeadline(outer.signal, () =>
      runWithDeadline(inner.signal, () => {
        const signal = effectiveSignal()
        outer.abort('outer')
        expect(signal?.reason).toBe('outer')
      }),
    )
    runWithDeadline(1_000, () => {
      const expiresAt = currentDeadline()?.expiresAt
      runWithDeadline(60_000, () => expect(currentDeadline()?.expiresAt).toBe(expiresAt))
    })
  })

  test('of Infinity leaves the other one', () => {
    runWithDeadline(AbortSignal.abort(), () => {
      expect(runWithDeadline(Infinity, () => effectiveSignal())).toBeUndefined()
    })
  })

  test.each([-1, Number.NaN, '5s', null, {}])('of %o is rejected', (limit) => {
    expect(() => runWithDeadline(limit as number, () => {})).toThrow(
      expect.objectContaining({ code: 'POOLGUARD_INVALID_OPTION' }),
    )
  })
})

describe('a caller under a deadline', () => {
  test('leaves the queue when the signal is aborted, with its reason', async () => {
    const { pool } = givenPool({ max: 1 })
    const lease = await pool.acquire()
    const controller = new AbortController()
    const waiting = runWithDeadline(controller.signal, () => new Outcome(pool.acquire()))
    controller.abort('gone')
    await settled()

    expect(waiting.error).toBe('gone')
    expect(pool.counts.waiting).toBe(0)
    lease.release()
  })

  test('gets an error that describes the pool when the time has passed', async () => {
    const { pool } = givenPool({ max: 1 })
    await pool.acquire()
    const error = await runWithDeadline(1, () => pool.acquire()).catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({ code: 'POOLGUARD_ACQUIRE_TIMEOUT', pool: { active: 1, max: 1 } })
  })

  test('does not get a connection after the deadline', async () => {
    const { pool } = givenPool()
    const aborted = runWithDeadline(AbortSignal.abort('late'), () => new Outcome(pool.acquire()))
    await settled()

    expect(aborted.error).toBe('late')
    expect(pool.counts.total).toBe(0)
  })

  test('ends with its own signal as well', async () => {
    const { pool } = givenPool({ max: 1 })
    await pool.acquire()
    const own = new AbortController()
    const { signal } = own
    const waiting = runWithDeadline(60_000, () => new Outcome(pool.acquire({ signal })))
    own.abort('own')
    await settled()

    expect(waiting.error).toBe('own')
  })

  test('does not end waits of the pool itself', async () => {
    const { pool } = givenPool({ max: 1 })
    const lease = await runWithDeadline(AbortSignal.abort(), () => pool.acquire({ internal: 'queued' }))

    expect(lease.active).toBe(true)
  })
})
