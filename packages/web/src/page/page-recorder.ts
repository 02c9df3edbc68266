import type { ObservedPool } from '@poolguard/core'
import { listPools, onPoolEvents, ProcessWide } from '@poolguard/core/adapter'
import type { EventView } from '@poolguard/page'
import { EventLog } from './event-log.ts'
import { PoolHistory } from './pool-history.ts'

const SAMPLE_MILLIS = 2_000
/** Pools that the page shows: the history of each takes 6 kB. */
const MAX_POOLS = 1_000

/** A pool that the page shows. */
export interface RecordedPool {
  /** Unique in the process. */
  readonly id: number
  readonly pool: ObservedPool
  readonly history: PoolHistory
}

/** Remembers the last ten minutes of the process's pools, so that the page shows what happened before it was opened. */
export class PageRecorder {
  readonly #events = new EventLog()
  readonly #pools = new Map<ObservedPool, RecordedPool>()
  #lastId = 0

  constructor() {
    onPoolEvents((pool, event) => this.#events.add(pool, event, Date.now()))
    this.#sample()
    setInterval(() => this.#sample(), SAMPLE_MILLIS).unref()
  }

  /** The latest first. */
  get events(): readonly EventView[] {
    return this.#events.read()
  }

  logAction(subject: string, text: string): void {
    this.#events.addAction(subject, text, Date.now())
  }

  /** What is known about these pools; those beyond the first 1,000 of the process are left out. */
  find(pools: readonly ObservedPool[]): RecordedPool[] {
    return pools.flatMap((pool) => this.#findOrAdd(pool) ?? [])
  }

  #sample(): void {
    const open = new Set(listPools())
    for (const pool of this.#pools.keys()) if (!open.has(pool)) this.#pools.delete(pool)
    const seconds = Math.round(Date.now() / 1_000)
    for (const pool of open) this.#findOrAdd(pool)?.history.add(seconds, pool.snapshot().stats)
  }

  #findOrAdd(pool: ObservedPool): RecordedPool | undefined {
    const known = this.#pools.get(pool)
    if (known || this.#pools.size >= MAX_POOLS) return known
    const added: RecordedPool = { id: ++this.#lastId, pool, history: new PoolHistory() }
    this.#pools.set(pool, added)
    return added
  }
}

/** One for the process: a development server loads the module again and again. It begins to record with the first page. */
export const pageRecorder: ProcessWide<PageRecorder> = new ProcessWide('poolguard.page.1', () => new PageRecorder())
