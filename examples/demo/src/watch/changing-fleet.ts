import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { WatchedAppEnvironment } from '../app/environment.ts'
import type { WatchedAppStarted } from '../app/watched-app.ts'

const APP = fileURLToPath(new URL('../app/watched-app.ts', import.meta.url))
const STORES = [
  ['Drizzle', 'drizzle-guarded'],
  ['Prisma', 'prisma-guarded'],
] as const
/** Three instances could use more connections than they share. */
const CONCURRENCY = '6'

interface Instance {
  /** The lowest free number; it is part of the pool's name. */
  readonly number: number
  readonly process: ChildProcess
  readonly port: number
}

/** App processes that share a database as one fleet, while their number changes. */
export class ChangingFleet implements AsyncDisposable {
  readonly #databaseUrl: string
  readonly #adminToken: string
  /** The oldest first. */
  #instances: readonly Instance[] = []

  constructor(databaseUrl: string, adminToken: string) {
    this.#databaseUrl = databaseUrl
    this.#adminToken = adminToken
  }

  get size(): number {
    return this.#instances.length
  }

  /** The ports of the admin endpoints, on 127.0.0.1. */
  get ports(): readonly number[] {
    return this.#instances.map(({ port }) => port)
  }

  /** Starts one more process. */
  async grow(): Promise<void> {
    const number = this.#freeNumber()
    const app = fork(APP, {
      env: { ...process.env, ...this.#environment(number) },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    const { port } = await started(app)
    this.#instances = [...this.#instances, { number, process: app, port }]
  }

  /** Ends the oldest process, which finishes its requests first. */
  async shrink(): Promise<void> {
    const [oldest, ...others] = this.#instances
    this.#instances = others
    if (oldest) await end(oldest.process)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const instances = this.#instances
    this.#instances = []
    await Promise.all(instances.map((instance) => end(instance.process)))
  }

  #freeNumber(): number {
    const taken = new Set(this.#instances.map(({ number }) => number))
    let number = 1
    while (taken.has(number)) number++
    return number
  }

  #environment(number: number): WatchedAppEnvironment {
    const [library, store] = STORES[number % STORES.length] as (typeof STORES)[number]
    return {
      DATABASE_URL: this.#databaseUrl,
      STORE: store,
      FLEET: 'demo',
      POOL_NAME: `${number} (${library})`,
      CONCURRENCY,
      ADMIN_TOKEN: this.#adminToken,
    }
  }
}

async function started(app: ChildProcess): Promise<WatchedAppStarted> {
  const ended = once(app, 'exit').then(([code, signal]) => {
    throw new Error(`An app process exited early (${signal ?? `exit code ${code}`})`)
  })
  const [message] = await Promise.race([once(app, 'message'), ended])
  return message as WatchedAppStarted
}

async function end(app: ChildProcess): Promise<void> {
  if (app.exitCode !== null || app.signalCode !== null) return
  const exited = once(app, 'exit')
  app.send('end', () => {})
  await exited
}
