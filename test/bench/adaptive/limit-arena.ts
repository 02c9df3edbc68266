import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { AdaptiveLimit } from '../../../packages/core/src/adaptive/index.ts'
import { DEFAULT_POOL_SETTINGS, Pool, type PoolSettings } from '../../../packages/core/src/pool/index.ts'
import { PausableClock } from './pausable-clock.ts'
import type { WorkKind, Workload } from './workloads.ts'

/** More than the largest limit: some always wait. */
const CALLERS = 128
/** Not measured, after each change of the limit: statements that began before it are finished. */
const GUARD_MILLIS = 100
const TRACE_MILLIS = 100
/** Of each kind of work, to learn what it costs. */
const TRIALS = 30

/** The work of one slice. */
export interface Slice {
  /** Per second. Each kind of work counts by the time that it takes on an idle server, relative to the mean of its workload. */
  readonly rate: number
  /** For how long each statement or transaction had its connection. */
  readonly heldMillis: readonly number[]
}

/** The limit that the pool had found at some time, in milliseconds in which the limit was adaptive. */
export interface TracePoint {
  readonly atMillis: number
  readonly limit: number
}

/**
 * One pool of which either the adaptive limit or a fixed one is in effect, while callers always wait. The adaptive limit notices nothing
 * of the time with a fixed one.
 */
export class LimitArena implements AsyncDisposable {
  readonly #engine: Pool<pg.Client>
  readonly #clock = new PausableClock()
  readonly #adaptive: AdaptiveLimit
  readonly #weights = new Map<WorkKind, number>()
  #callers: readonly Promise<void>[] = []
  #workload: Workload | undefined
  /** In effect when the limit was last adaptive. */
  #adaptiveLimit: number
  #isAdaptive = false
  #isEnded = false
  #work = 0
  #heldMillis: number[] = []

  constructor(url: string, { max, cores }: { readonly max: number; readonly cores: number }) {
    const settings: PoolSettings = {
      ...DEFAULT_POOL_SETTINGS,
      ...{ max, limit: 'adaptive', serverCores: cores, maxWaiters: Infinity, acquireTimeoutMillis: Infinity },
      ...{ idleTimeoutMillis: Infinity, maxLifetimeMillis: Infinity, validateAfterIdleMillis: Infinity },
    }
    this.#engine = new Pool({
      ...{ name: 'arena', settings, classify: () => 'permanent', onWait: () => this.#adaptive.onWait() },
      factory: { open: () => connect(url), close: (client) => client.end() },
    })
    this.#adaptiveLimit = this.#engine.load.limit
    this.#adaptive = new AdaptiveLimit({ engine: this.#engine, countsStatements: true, clock: this.#clock })
  }

  /** Opens all connections, and learns what the workloads cost. */
  async open(workloads: readonly Workload[]): Promise<void> {
    const { max } = this.#engine.settings
    this.#engine.limitLending(max)
    const leases = await Promise.all(Array.from({ length: max }, () => this.#engine.acquire()))
    const client = (leases[0] as (typeof leases)[0]).resource
    for (const workload of workloads) await this.#learnWeights(workload, client)
    for (const lease of leases) lease.release()
  }

  /** Lets the callers begin, or changes their workload. The adaptive limit stays as it is. */
  change(workload: Workload): void {
    this.#workload = workload
    if (this.#callers.length === 0) this.#callers = Array.from({ length: CALLERS }, () => this.#call())
  }

  /** The best limit that the pool knows. */
  get found(): number {
    return this.#adaptive.state.base
  }

  /** The time in which the limit was adaptive. */
  get adaptiveMillis(): number {
    return this.#clock.now()
  }

  /** Follows the adaptive limit, and adds what it finds to the trace. */
  async measureAdaptive(millis: number, trace: TracePoint[]): Promise<Slice> {
    this.#engine.limitLending(this.#adaptiveLimit)
    await sleep(GUARD_MILLIS)
    this.#clock.resume()
    this.#isAdaptive = true
    const slice = await this.#measure(async () => {
      const until = performance.now() + millis
      for (let rest = millis; rest > 0; rest = until - performance.now()) {
        await sleep(Math.min(TRACE_MILLIS, rest))
        trace.push({ atMillis: this.adaptiveMillis, limit: this.found })
      }
    })
    this.#isAdaptive = false
    this.#clock.pause()
    this.#adaptiveLimit = this.#engine.load.limit
    return slice
  }

  async measureFixed(limit: number, millis: number): Promise<Slice> {
    this.#engine.limitLending(limit)
    await sleep(GUARD_MILLIS)
    return this.#measure(() => sleep(millis))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true
    await Promise.all(this.#callers)
    await this.#engine.drain()
  }

  async #learnWeights({ kinds }: Workload, client: pg.Client): Promise<void> {
    const costs: number[] = []
    for (const { run } of kinds) {
      await run(client)
      const began = performance.now()
      for (let i = 0; i < TRIALS; i++) await run(client)
      costs.push((performance.now() - began) / TRIALS)
    }
    const mean = kinds.reduce((sum, { share }, i) => sum + share * (costs[i] as number), 0)
    for (const [i, kind] of kinds.entries()) this.#weights.set(kind, (costs[i] as number) / mean)
  }

  async #call(): Promise<void> {
    while (!this.#isEnded) {
      const lease = await this.#engine.acquire()
      const kind = pick(this.#workload as Workload)
      const began = performance.now()
      await kind.run(lease.resource)
      const millis = performance.now() - began
      this.#work += this.#weights.get(kind) as number
      this.#heldMillis.push(millis)
      if (this.#isAdaptive) this.#adaptive.onAnswered(kind, millis)
      lease.release()
    }
  }

  async #measure(during: () => Promise<unknown>): Promise<Slice> {
    this.#work = 0
    this.#heldMillis = []
    const began = performance.now()
    await during()
    return { rate: (this.#work * 1_000) / (performance.now() - began), heldMillis: this.#heldMillis }
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client(url)
  client.on('error', () => {})
  await client.connect()
  return client
}

function pick({ kinds }: Workload): WorkKind {
  let rest = Math.random()
  for (const kind of kinds) {
    rest -= kind.share
    if (rest < 0) return kind
  }
  return kinds[0] as WorkKind
}
