import { setTimeout as pause } from 'node:timers/promises'
import { readOneRow } from '@poolguard/core/postgres'
import type { Pool } from '../database/contact.ts'
import { type Figures, Tally } from './tally.ts'

export interface LoadInput {
  /** What the requests go through. */
  readonly pool: Pool
  /** A connection of its own, to look at the server's side meanwhile. */
  readonly observer: Pool
  readonly concurrency: number
  readonly durationMillis: number
  /** One statement, or those of a transaction. */
  readonly statements: readonly string[]
  readonly transaction: boolean
  /** Ends it early. */
  readonly signal: AbortSignal
  readonly onProgress: (elapsedMillis: number, requests: number) => void
}

export interface LoadResult extends Figures {
  readonly elapsedMillis: number
  /** Connections to the database as the server counts them, in equal intervals; without the one that counts. */
  readonly serverConnections: readonly number[]
}

const SAMPLES = 60
const MIN_INTERVAL_MILLIS = 100

const COUNT_QUERY = `select pg_catalog.count(*)::int as count from pg_catalog.pg_stat_activity
 where datname operator(pg_catalog.=) pg_catalog.current_database() and pid operator(pg_catalog.<>) pg_catalog.pg_backend_pid()`

/** So many workers, each with one request at a time, until the time is over. What is under way then is waited for. */
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
      // A server that refuses at once would otherwise be asked as fast as this process can.
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
    // Left in the middle of a transaction, it is rolled back by the pool.
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
