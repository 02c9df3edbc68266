import type { PageDocument, PoolSample } from '../src/index.ts'
import { readHistory } from './server.ts'

const HISTORY_SECONDS = 600

/** The samples of each pool that is shown as a chart. */
export class History {
  readonly #samples = new Map<number, PoolSample[]>()
  #process = ''

  /** Adds the document's samples, and asks for earlier ones of pools that are new here. */
  add({ process, pools }: PageDocument, charted: readonly number[]): void {
    const id = `${process.host} ${process.pid} ${process.startedAt}`
    if (id !== this.#process) this.#samples.clear()
    this.#process = id
    for (const pool of pools.entries) {
      const samples = this.#samples.get(pool.id)
      const last = samples?.at(-1)
      if (!samples || (last && pool.sample[0] <= last[0])) continue
      samples.push(pool.sample)
      while ((samples[0]?.[0] ?? 0) < pool.sample[0] - HISTORY_SECONDS) samples.shift()
    }
    const missing = charted.filter((each) => !this.#samples.has(each))
    if (missing.length > 0) void this.#load(missing)
  }

  of(pool: number): readonly PoolSample[] {
    return this.#samples.get(pool) ?? []
  }

  async #load(pools: readonly number[]): Promise<void> {
    for (const pool of pools) this.#samples.set(pool, [])
    const process = this.#process
    const loaded = await readHistory(pools).catch(() => ({}))
    if (process !== this.#process) return
    for (const [pool, samples] of Object.entries<readonly PoolSample[]>(loaded)) {
      const newer = (this.#samples.get(Number(pool)) ?? []).filter(([time]) => time > (samples.at(-1)?.[0] ?? 0))
      this.#samples.set(Number(pool), [...samples, ...newer])
    }
  }
}
