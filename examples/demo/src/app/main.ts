/** One process of the demo's app: makes its store, waits for the word, puts load on, and reports. */
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

process.once('disconnect', () => process.exit())
const environment = process.env as unknown as AppEnvironment
const { store } = await MAKERS[environment.STORE]()

process.once('message', async () => {
  const result = await load(store, Number(environment.CONCURRENCY), Number(environment.REQUESTS))
  const topologies = snapshotPools().flatMap(({ topology }) =>
    topology ? [{ topology, description: describeTopology(topology) }] : [],
  )
  await store.close()
  say({ type: 'done', ...result, topologies })
})
say({ type: 'ready' })
