import { GuardedPool } from '@poolguard/pg'
import { describe, expect, test } from 'vitest'
import { startPostgres, waitUntil } from '../harness/index.ts'

const MAX = 12

describe('an adaptive limit on a real server', () => {
  test('compares limits within max while callers wait, opens no more connections, and answers every caller', async () => {
    await using server = await startPostgres()
    const pool = new GuardedPool({ url: server.url, max: MAX, pool: { limit: 'adaptive', serverCores: 2 } })
    let isDone = false
    let answers = 0
    let mostInUse = 0
    const callers = Array.from({ length: 40 }, async () => {
      while (!isDone) {
        await pool.query('select pg_sleep(0.002)')
        answers++
        mostInUse = Math.max(mostInUse, pool.counts.active)
      }
    })
    await waitUntil(() => (pool.snapshot().adaptiveLimit?.last?.confidence ?? 0) > 0.5, {
      what: 'the first comparison',
    })
    isDone = true
    await Promise.all(callers)

    const { stats, adaptiveLimit } = pool.snapshot()
    expect(answers).toBeGreaterThan(40)
    expect(mostInUse).toBeLessThanOrEqual(MAX)
    expect(stats.opened).toBeLessThanOrEqual(MAX)
    expect(stats).toMatchObject({ closed: 0, waiting: 0, timeouts: 0 })
    expect(adaptiveLimit?.base).toBeGreaterThanOrEqual(1)
    await pool.end()
  })
})
