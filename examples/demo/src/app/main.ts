/** One process of the demo's app: makes its store, waits for the word, puts load on, and reports. */
import { setTimeout as pause } from 'node:timers/promises'
import { describeTopology, snapshotPools, type Topology } from '@poolguard/core'
import type { AppEnvironment, StoreName } from './environment.ts'
import { type LoadResult, load } from './load.ts'
import type { Store } from './store.ts'

/** What an app process says to the demo. */
export type AppMessage = { readonly type: 'ready' } | ({ readonly type: 'done' } & AppResult)

export interface AppResult extends LoadResult {
  /** What its guarded pools found at the other end; empty where it has none. */
  readonly topologies: readonly { readonly topology: Topology; readonly description: string }[]
}

const MAKERS: Record<StoreName, () => Promise<{ store: Store }>> = {
  drizzle: () => import('./drizzle.ts'),
  'drizzle-guarded': () => import('./drizzle-guarded.ts'),
  prisma: () => import('./prisma.ts'),
  'prisma-guarded': () => import('./prisma-guarded.ts'),
}

/** Where nobody listens any more, the process is about to end. */
function say(message: AppMessage): void {
  process.send?.(message, undefined, undefined, () => {})
}

const FOUND_OUT_MILLIS = 30_000

/** On a busy machine, the load may end before a pool knows its pooler: a pool finds out more with the requests that come. */
async function foundOut(store: Store): Promise<void> {
  const until = performance.now() + FOUND_OUT_MILLIS
  const isKnown = () => snapshotPools().every(({ topology }) => topology && topology.kind !== 'unknown')
  while (!isKnown() && performance.now() < until) {
    await store.balance(1)
    await pause(100)
  }
}

process.once('disconnect', () => process.exit())
const environment = process.env as unknown as AppEnvironment
const { store } = await MAKERS[environment.STORE]()

process.once('message', async () => {
  const result = await load(store, Number(environment.CONCURRENCY), Number(environment.REQUESTS))
  await foundOut(store)
  const topologies = snapshotPools().flatMap(({ topology }) =>
    topology ? [{ topology, description: describeTopology(topology) }] : [],
  )
  await store.close()
  say({ type: 'done', ...result, topologies })
})
say({ type: 'ready' })
