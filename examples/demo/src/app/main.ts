/** One process of the demo's app: creates its store, waits for the start message, runs the load, and reports. */
import { setTimeout as pause } from 'node:timers/promises'
import { describeTopology, snapshotPools, type Topology } from '@poolguard/core'
import { endWithDemo } from './end-with-demo.ts'
import type { AppEnvironment } from './environment.ts'
import { type LoadResult, load } from './load.ts'
import { openStore } from './open-store.ts'
import type { Store } from './store.ts'

/** The messages of an app process to the demo. */
export type AppMessage = { readonly type: 'ready' } | ({ readonly type: 'done' } & AppResult)

export interface AppResult extends LoadResult {
  /** The topologies that its guarded pools detected; empty without guarded pools. */
  readonly topologies: readonly { readonly topology: Topology; readonly description: string }[]
}

/** Ignores errors: if the demo has closed the channel, this process is about to end. */
function send(message: AppMessage): void {
  process.send?.(message, undefined, undefined, () => {})
}

const DETECTION_TIMEOUT_MILLIS = 30_000

/** Sends requests until the pools have detected their pooler: on a busy machine, the load can end before that. */
async function waitForDetection(store: Store): Promise<void> {
  const until = performance.now() + DETECTION_TIMEOUT_MILLIS
  const isKnown = () => snapshotPools().every(({ topology }) => topology && topology.kind !== 'unknown')
  while (!isKnown() && performance.now() < until) {
    await store.balance(1)
    await pause(100)
  }
}

endWithDemo()
const environment = process.env as unknown as AppEnvironment
const store = await openStore(environment.STORE)

process.once('message', async () => {
  const result = await load(store, Number(environment.CONCURRENCY), Number(environment.REQUESTS))
  await waitForDetection(store)
  const topologies = snapshotPools().flatMap(({ topology }) =>
    topology ? [{ topology, description: describeTopology(topology) }] : [],
  )
  await store.close()
  send({ type: 'done', ...result, topologies })
})
send({ type: 'ready' })
