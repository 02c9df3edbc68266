import { hostname } from 'node:os'
import { describeTopology, type ObservedPool, type PoolHealth } from '@poolguard/core'
import type { LaneView, PageAction, PageDocument, PoolSample } from '@poolguard/page'
import type { EndpointSettings, EndpointSources } from '../endpoints/index.ts'
import { terminateSession } from './page-actions.ts'
import { type ActionDone, ActionError, type PageContent } from './page-content.ts'
import { pageRecorder, type RecordedPool } from './page-recorder.ts'
import { SourceReports } from './source-reports.ts'
import { findHolder, MAX_HOLDERS, type PoolReading, viewPools } from './view-pools.ts'

const STARTED_AT = Math.round(Date.now() - process.uptime() * 1_000)

export type ProcessSources = EndpointSources & Pick<EndpointSettings, 'pageSources' | 'pageActions'>

/** The pools of this process, and the servers that the app has named. */
export class ProcessContent implements PageContent {
  readonly #sources: ProcessSources
  readonly #recorder = pageRecorder.value
  readonly #reports: SourceReports
  readonly act: PageContent['act']

  constructor(sources: ProcessSources) {
    this.#sources = sources
    this.#reports = new SourceReports(sources.pageSources, sources.pageActions)
    this.act = sources.pageActions ? (action) => this.#act(action) : undefined
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
      .map((recorded) => readPool(recorded, healthOf.get(recorded.pool), this.#sources.pageActions))
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

  logAction({ subject, text }: ActionDone): void {
    this.#recorder.logAction(subject, text)
  }

  async #act(action: PageAction): Promise<ActionDone> {
    if (action.action === 'terminate') return this.#terminate(action)
    const pool = this.#recorder.find(this.#sources.pools()).find(({ id }) => id === action.pool)?.pool
    if (!pool?.resize || !pool.closeIdle) throw new ActionError('The pool has been closed.')
    const { name, stats } = pool.snapshot()
    if (action.action === 'resize') {
      pool.resize({ max: action.max })
      return { subject: name, text: `resized pool "${name}" from ${stats.max} to ${action.max}` }
    }
    // It waits for connections that are being opened, if the pool is not in use.
    void pool.closeIdle()
    return { subject: name, text: `closed ${stats.idle} idle connections of pool "${name}"` }
  }

  async #terminate({
    source: name,
    pid,
    startedAt,
  }: Extract<PageAction, { action: 'terminate' }>): Promise<ActionDone> {
    const source = this.#sources.pageSources.find((each) => each.source === name)
    if (!source?.terminate) throw new ActionError('The page does not show such a server.')
    const { terminate } = source
    await terminateSession(pid, () => terminate({ pid, startedAt }))
    return { subject: name, text: `terminated session ${pid} of ${name}` }
  }

  readStack(holder: string): string | null {
    const pools = this.#recorder.find(this.#sources.pools()).filter(({ id }) => holder.startsWith(`${id}-`))
    return findHolder(
      pools.map(({ id, pool }) => ({ id, callers: callersOf(pool) })),
      holder,
    )
  }
}

function readPool(
  { id, pool, history }: RecordedPool,
  health: PoolHealth | undefined,
  hasActions: boolean,
): PoolReading {
  const { name, target, stats, topology, fleet, insight } = pool.snapshot()
  return {
    ...{ id, name, target, stats, fleet, history },
    isControlled: hasActions && pool.resize !== undefined,
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
