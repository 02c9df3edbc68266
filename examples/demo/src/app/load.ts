import { setTimeout as pause } from 'node:timers/promises'
import { sqlstateOf } from './sqlstate.ts'
import type { Store } from './store.ts'

/** The accounts that exist; `schema.sql` of the demo's database makes them. */
export const ACCOUNTS = 1_000

export interface LoadResult {
  /** How long each request that succeeded took, in milliseconds. */
  readonly latencies: readonly number[]
  /** The requests that failed, counted by SQLSTATE. */
  readonly sqlstates: Readonly<Record<string, number>>
}

/** Makes `requests` requests on each of `concurrency` lines at the same time: three reads, one transfer, and so on. */
export async function load(store: Store, concurrency: number, requests: number): Promise<LoadResult> {
  const latencies: number[] = []
  const sqlstates: Record<string, number> = {}
  const line = async (_: unknown, number: number) => {
    for (let i = 0; i < requests; i++) {
      const began = performance.now()
      try {
        await request(store, number * requests + i)
        latencies.push(performance.now() - began)
      } catch (error) {
        const sqlstate = sqlstateOf(error)
        sqlstates[sqlstate] = (sqlstates[sqlstate] ?? 0) + 1
      }
      // A visitor thinks before the next click; without this, failing would be the fastest way to be done.
      await pause(Math.random() * 20)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, line))
  return { latencies, sqlstates }
}

async function request(store: Store, number: number): Promise<void> {
  if (number % 4 < 3) {
    await store.balance(account())
    return
  }
  // Always from the lower to the higher: two transfers the other way round would wait for each other.
  const [from, to] = [account(), account()].sort((a, b) => a - b) as [number, number]
  await store.transfer(from, to)
}

function account(): number {
  return 1 + Math.floor(Math.random() * ACCOUNTS)
}
