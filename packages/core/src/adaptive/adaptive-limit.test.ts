import { describe, expect, test } from 'vitest'
import { settled } from '../pool/testing/manual-clock.ts'
import { givenPool } from '../pool/testing/pool-under-test.ts'
import { AdaptiveLimit } from './adaptive-limit.ts'

/** A pool whose callers always want more connections than it lends, on a server that does `rate(n)` statements per millisecond with n in use. */
function givenServer(rate: (inUse: number) => number, { max, callers }: { max: number; callers: number }) {
  let adaptive: AdaptiveLimit | undefined
  const onWait = () => adaptive?.onWait()
  const given = givenPool(
    { max, limit: 'adaptive', serverCores: 2, validateAfterIdleMillis: Infinity, acquireTimeoutMillis: Infinity },
    { onWait },
  )
  const { pool, clock } = given
  const limit = new AdaptiveLimit({ engine: pool, countsStatements: false, clock })
  adaptive = limit
  let inUse = 0
  const call = async (): Promise<void> => {
    const lease = await pool.acquire()
    inUse++
    clock.after(inUse / rate(inUse), () => {
      inUse--
      lease.release()
      void call()
    })
  }
  for (let i = 0; i < callers; i++) void call()
  return { ...given, limit }
}

describe('an adaptive limit', () => {
  test('begins with 2 x cores + 1', () => {
    expect(givenPool({ max: 20, limit: 'adaptive', serverCores: 3 }).pool.stats().limit).toBe(7)
  })

  test('falls where connections disturb each other, and closes none', async () => {
    const { pool, clock, limit, events } = givenServer((n) => 1 / n, { max: 16, callers: 40 })
    for (let i = 0; i < 150; i++) await clock.advance(100)

    expect(limit.state.base).toBe(1)
    expect(limit.state.last?.confidence).toBeGreaterThan(0.5)
    expect(events.filter(({ type }) => type === 'closed')).toEqual([])
    expect(pool.stats().limit).toBeLessThanOrEqual(16)
  })

  test('rises to max where each connection adds throughput, and stays below the number of callers', async () => {
    const { clock, limit } = givenServer((n) => 0.05 * n, { max: 12, callers: 40 })
    for (let i = 0; i < 300; i++) await clock.advance(100)

    expect(limit.state.base).toBe(12)
  })

  test('stays where it is while no caller waits', async () => {
    const { pool, clock, limit } = givenServer((n) => 1 / n, { max: 16, callers: 3 })
    for (let i = 0; i < 100; i++) await clock.advance(100)

    expect(limit.state).toEqual({ base: 5, comparing: false, last: null })
    expect(pool.stats().limit).toBe(5)
  })

  test('stops measuring when no caller waits any more, and leaves no timer', async () => {
    const { pool, clock } = givenPool({ max: 2, limit: 'adaptive' }, { onWait: () => limit.onWait() })
    const limit: AdaptiveLimit = new AdaptiveLimit({ engine: pool, countsStatements: false, clock })
    const leases = await Promise.all([pool.acquire(), pool.acquire()])
    const third = pool.acquire()
    await settled()
    for (const lease of leases) lease.release()
    ;(await third).release()
    await clock.advance(10_000)

    expect(limit.state.comparing).toBe(false)
  })
})
