import { hostname } from 'node:os'
import { describeTopology, type ObservedPool, type PoolHealth } from '@poolguard/core'
import type { LaneView, PageDocument, PoolSample } from '@poolguard/page'
import type { EndpointSettings, EndpointSources } from '../endpoints/index.ts'
import type { PageContent } from './page-content.ts'
import { pageRecorder, type RecordedPool } from './page-recorder.ts'
import { SourceReports } from './source-reports.ts'
import { findHolder, MAX_HOLDERS, type PoolReading, viewPools } from './view-pools.ts'

const STARTED_AT = Math.round(Date.now() - process.uptime() * 1_000)

export type ProcessSources = EndpointSources & Pick<EndpointSettings, 'pageSources'>

/** The pools of this process, and the servers that the app has named. */
export class ProcessContent implements PageContent {
  readonly #sources: ProcessSources
  readonly #recorder = pageRecorder.value
  readonly #reports: SourceReports

  constructor(sources: ProcessSources) {
    this.#sources = sources
    this.#reports = new SourceReports(sources.pageSources)
  }

  get isClosing(): boolean {
    return this.#sources.drain.begun
  }

  readDocument(filter: string): PageDocument {
    const { monitor, pools } = this.#sources
    const observed = pools()
    const { status, pools: health } = monitor.check()
    const healthOf = new Map(observed.map((pool, i) => [pool, health[i]]))
    const shown = this.#recorder
      .find(observed)
      .map((recorded) => readPool(recorded, healthOf.get(recorded.pool)))
      .filter(({ name }) => name.includes(filter))
    return {
      time: Date.now(),
      process: { host: hostname(), pid: process.pid, startedAt: STARTED_AT },
      watched: null,
      status,
      ...viewPools(shown),
      sources: this.#reports.read(),
      events: this.#recorder.events.filter(({ pool }) => pool.includes(filter)),
    }
  }

  readHistory(ids: ReadonlySet<number>): Readonly<Record<number, readonly PoolSample[]>> {
    const found = this.#recorder.find(this.#sources.pools()).filter(({ id }) => ids.has(id))
    return Object.fromEntries(found.map(({ id, history }) => [id, history.read()]))
  }

  readStack(holder: string): string | null {
    const pools = this.#recorder.find(this.#sources.pools()).filter(({ id }) => holder.startsWith(`${id}-`))
    return findHolder(
      pools.map(({ id, pool }) => ({ id, callers: callersOf(pool) })),
      holder,
    )
  }
}

function readPool({ id, pool, history }: RecordedPool, health: PoolHealth | undefined): PoolReading {
  const { name, target, stats, topology, fleet, insight } = pool.snapshot()
  return {
    ...{ id, name, target, stats, fleet, history },
    server: topology && describeTopology(topology),
    status: health?.status ?? 'healthy',
    reasons: health?.reasons ?? [],
    lanes: Object.entries(stats.lanes ?? {}).map(
      ([lane, { active, max, waiting }]): LaneView => ({ name: lane, active, max, waiting }),
    ),
    findings: insight?.findings ?? [],
    callers: callersOf(pool),
  }
}

function callersOf(pool: ObservedPool): PoolReading['callers'] {
  return pool.callers?.(MAX_HOLDERS) ?? { borrowed: [], waiting: [] }
}
