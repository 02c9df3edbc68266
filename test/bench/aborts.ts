import { GuardedPool } from '@poolguard/pg'

const CONNECTIONS = 8
const CALLERS = 32
/** Of the statements that are aborted; the aborts come before, during and after it. */
const STATEMENT_MILLIS = 1

export interface AbortFigures {
  readonly innocentCancelled: number
  readonly connectionsLost: number
  /** From each abort of a running statement until the server had ended it, and its connection was free. */
  readonly p99MillisUntilFree: number
}

/** Aborts statements at random times, beside callers that never abort. */
export async function abortAtRandom(url: string, aborts: number): Promise<AbortFigures> {
  const pool = new GuardedPool({ url, max: CONNECTIONS, pool: { maxWaiters: Infinity } })
  await pool.ready()
  let left = aborts
  let innocentCancelled = 0
  const abort = async (): Promise<void> => {
    while (left-- > 0) {
      const controller = new AbortController()
      const text = `select pg_sleep(${STATEMENT_MILLIS / 1_000})`
      const query = pool.query({ text, signal: controller.signal }).catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, Math.random() * STATEMENT_MILLIS * 4))
      controller.abort()
      await query
    }
  }
  const run = async (): Promise<void> => {
    while (left > 0) {
      await pool.query('select 1').catch(() => {
        innocentCancelled++
      })
    }
  }
  await Promise.all(Array.from({ length: CALLERS }, (_, i) => (i % 2 === 0 ? abort() : run())))
  const { closed } = pool.snapshot().stats
  const p99MillisUntilFree = await timeUntilFree(url)
  await pool.end()
  return { innocentCancelled, connectionsLost: closed, p99MillisUntilFree }
}

/** A connection is free only after the server has answered the cancelled statement. */
async function timeUntilFree(url: string): Promise<number> {
  const pool = new GuardedPool({ url, max: 1 })
  const times: number[] = []
  for (let i = 0; i < 100; i++) {
    const controller = new AbortController()
    const query = pool.query({ text: 'select pg_sleep(60)', signal: controller.signal }).catch(() => {})
    await new Promise((resolve) => setTimeout(resolve, 5))
    const began = performance.now()
    controller.abort()
    await query
    await pool.query('select 1')
    times.push(performance.now() - began)
  }
  await pool.end()
  return times.toSorted((a, b) => a - b)[98] ?? Number.NaN
}
