import { setTimeout as pause } from 'node:timers/promises'
import { sqlstateOf } from './sqlstate.ts'
import type { Store } from './store.ts'

/** The number of accounts, which the demo creates at its start. */
export const ACCOUNTS = 1_000

export interface LoadResult {
  /** The duration of each successful request, in milliseconds. */
  readonly latencies: readonly number[]
  /** The number of failed requests by SQLSTATE. */
  readonly sqlstates: Readonly<Record<string, number>>
}

/** Runs `concurrency` clients at the same time, each with `requests` requests: three reads, one transfer, and so on. */
export async function load(store: Store, concurrency: number, requests: number): Promise<LoadResult> {
  const latencies: number[] = []
  const sqlstates: Record<string, number> = {}
  const client = async (_: unknown, number: number) => {
    for (let i = 0; i < requests; i++) {
      const began = performance.now()
      try {
        await request(store, number * requests + i)
        latencies.push(performance.now() - began)
      } catch (error) {
        const sqlstate = sqlstateOf(error)
        sqlstates[sqlstate] = (sqlstates[sqlstate] ?? 0) + 1
      }
      // Clients pause between requests; otherwise failing requests would finish the load fastest.
      await pause(Math.random() * 20)
    }
  }
  await Promise.all(Array.from({ length: concurrency }, client))
  return { latencies, sqlstates }
}

async function request(store: Store, number: number): Promise<void> {
  if (number % 4 < 3) {
    await readBalance(store)
  } else {
    await transfer(store)
  }
}

export async function readBalance(store: Store): Promise<void> {
  await store.balance(account())
}

export async function transfer(store: Store): Promise<void> {
  // Lock accounts in ascending order: opposite transfers would deadlock.
  const [from, to] = [account(), account()].sort((a, b) => a - b) as [number, number]
  await store.transfer(from, to)
}

function account(): number {
  return 1 + Math.floor(Math.random() * ACCOUNTS)
}
