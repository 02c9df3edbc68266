/** One app process of `--watch`: its clients make requests until the demo ends it, and its admin endpoint shows its pool. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { runWithLabel } from '@poolguard/core'
import { poolguardWeb } from '@poolguard/web'
import { endWithDemo } from './end-with-demo.ts'
import type { WatchedAppEnvironment } from './environment.ts'
import { readBalance, transfer } from './load.ts'
import { openStore } from './open-store.ts'
import type { Store } from './store.ts'

/** The message of the process once it is started. */
export interface WatchedAppStarted {
  /** Of its admin endpoint, on 127.0.0.1. */
  readonly port: number
}

const WAVE_MILLIS = 20_000
const MAX_PAUSE_MILLIS = 400

/** Set by the message of the demo, which ends processes as a deploy does. */
let isEnding = false

/** Makes requests one after the other, more often and less often in waves. */
async function beClient(store: Store): Promise<void> {
  for (let number = 0; !isEnding; number++) {
    const wave = (1 + Math.sin((2 * Math.PI * Date.now()) / WAVE_MILLIS + process.pid)) / 2
    await pause(Math.random() * wave * MAX_PAUSE_MILLIS)
    const [label, run] = requestOf(number)
    await runWithLabel(label, () => run(store)).catch((error) => console.error(`${label}: ${error.message}`))
  }
}

function requestOf(number: number): [label: string, run: (store: Store) => Promise<unknown>] {
  if (number % 7 === 5) return ['POST /transfers', transfer]
  if (number % 7 === 6) return ['GET /report', (store) => store.total()]
  return ['GET /accounts/:id', readBalance]
}

endWithDemo()
const environment = process.env as unknown as WatchedAppEnvironment
const store = await openStore(environment.STORE)
const endpoints = poolguardWeb({ admin: true, adminToken: environment.ADMIN_TOKEN }).express()
const server = createServer((request, response) =>
  endpoints(request, response, () => response.writeHead(404).end('Not Found')),
)
await once(server.listen(0, '127.0.0.1'), 'listening')
const clients = Array.from({ length: Number(environment.CONCURRENCY) }, () => beClient(store))
process.once('message', async () => {
  isEnding = true
  await Promise.all(clients)
  await store.close()
  process.exit()
})
const started: WatchedAppStarted = { port: (server.address() as AddressInfo).port }
process.send?.(started, undefined, undefined, () => {})
