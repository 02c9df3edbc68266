import { setTimeout as pause } from 'node:timers/promises'
import { readOneRow } from '@poolguard/core/postgres'
import type { Pool } from '../database/contact.ts'
import { type Figures, Tally } from './tally.ts'

export interface LoadInput {
  /** The pool that runs the requests. */
  readonly pool: Pool
  /** A separate pool that counts the server's connections. */
  readonly observer: Pool
  readonly concurrency: number
  readonly durationMillis: number
  /** One statement, or the statements of a transaction. */
  readonly statements: readonly string[]
  readonly transaction: boolean
  /** Stops the load early. */
  readonly signal: AbortSignal
  readonly onProgress: (elapsedMillis: number, requests: number) => void
}

export interface LoadResult extends Figures {
  readonly elapsedMillis: number
  /** Connections to the database as the server counts them, at equal intervals, without the observer's own. */
  readonly serverConnections: readonly number[]
}

const SAMPLES = 60
const MIN_INTERVAL_MILLIS = 100

const COUNT_QUERY = `select pg_catalog.count(*)::int as count from pg_catalog.pg_stat_activity
 where datname operator(pg_catalog.=) pg_catalog.current_database() and pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()`

/** Runs `concurrency` workers with one request at a time until the time is up, then waits for requests in flight. */
export async function runLoad(input: LoadInput): Promise<LoadResult> {
  const { concurrency, durationMillis, signal } = input
  const tally = new Tally()
  const began = performance.now()
  const over = AbortSignal.any([signal, AbortSignal.timeout(durationMillis)])
  const observing = observe(input, tally, began, over)
  await Promise.all(Array.from({ length: concurrency }, () => work(input, tally, over)))
  const elapsedMillis = performance.now() - began
  return { ...tally.figures(elapsedMillis), elapsedMillis, serverConnections: await observing }
}

async function work({ pool, statements, transaction }: LoadInput, tally: Tally, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const began = performance.now()
    try {
      if (transaction) await runTransaction(pool, statements)
      else for (const statement of statements) await pool.query(statement)
      tally.succeeded(performance.now() - began)
    } catch (error) {
      tally.failed(error)
      // Without a pause, a server that rejects immediately would be flooded with attempts.
      await pause(10)
    }
  }
}

async function runTransaction(pool: Pool, statements: readonly string[]): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('begin')
    for (const statement of statements) await client.query(statement)
    await client.query('commit')
  } finally {
    // The pool rolls back an open transaction on release.
    client.release()
  }
}

async function observe(input: LoadInput, tally: Tally, began: number, over: AbortSignal): Promise<readonly number[]> {
  const { observer, durationMillis, onProgress } = input
  const interval = Math.max(MIN_INTERVAL_MILLIS, durationMillis / SAMPLES)
  const samples: number[] = []
  while (!over.aborted) {
    const count = await observer
      .query(COUNT_QUERY)
      .then(({ rows }) => readOneRow('the query for the connections', rows, (row) => row.integer('count')))
      .catch(() => undefined)
    if (count !== undefined) samples.push(count)
    onProgress(performance.now() - began, tally.requests)
    await pause(interval, undefined, { signal: over }).catch(() => {})
  }
  return samples
}
