import type { PoolSnapshot } from '@poolguard/core'
import { GuardedPool } from '@poolguard/pg'
import { guardPostgres } from '@poolguard/postgres-js'
import { expect, test } from 'vitest'
import { startPostgres, waitUntil } from '../harness/index.ts'

const MAX = 12

interface Database {
  query(): Promise<unknown>
  snapshot(): PoolSnapshot
  end(): Promise<void>
}

const DRIVERS: Readonly<Record<'pg' | 'postgres.js', (url: string) => Database>> = {
  pg(url) {
    const pool = new GuardedPool({ url, max: MAX, pool: { limit: 'adaptive', serverCores: 2 } })
    return {
      query: () => pool.query('select pg_sleep(0.002)'),
      snapshot: () => pool.snapshot(),
      end: () => pool.end(),
    }
  },
  'postgres.js'(url) {
    const sql = guardPostgres(url, { max: MAX, pool: { limit: 'adaptive', serverCores: 2 } })
    return {
      query: async () => await sql`select pg_sleep(0.002)`,
      snapshot: () => sql.snapshot(),
      end: () => sql.end(),
    }
  },
}

test.each(Object.entries(DRIVERS))(
  'an adaptive limit compares limits within max while callers wait, opens no more connections, and answers every caller: %s',
  async (_, open) => {
    await using server = await startPostgres()
    const database = open(server.url)
    let isDone = false
    let answers = 0
    let mostInUse = 0
    const callers = Array.from({ length: 40 }, async () => {
      while (!isDone) {
        await database.query()
        answers++
        mostInUse = Math.max(mostInUse, database.snapshot().stats.active)
      }
    })
    await waitUntil(() => (database.snapshot().adaptiveLimit?.last?.confidence ?? 0) > 0.5, {
      what: 'the first comparison',
    }).finally(() => {
      isDone = true
    })
    await Promise.all(callers)

    const { stats, adaptiveLimit } = database.snapshot()
    expect(answers).toBeGreaterThan(40)
    expect(mostInUse).toBeLessThanOrEqual(MAX)
    expect(stats.opened).toBeLessThanOrEqual(MAX)
    expect(stats).toMatchObject({ closed: 0, waiting: 0, timeouts: 0 })
    // A lost count would show as a throughput that does not depend on the work.
    expect(adaptiveLimit?.last?.throughputRatio).not.toBe(1)
    await database.end()
  },
)
