import { hostname } from 'node:os'
import {
  type BorrowedConnection,
  describeTopology,
  type InsightFinding,
  type PoolHealth,
  type PoolSnapshot,
  type WaitingCaller,
} from '@poolguard/core'
import type { FindingView, HolderView, PageDocument, PoolView, Shown, WaiterView } from '@poolguard/page'
import type { PageSources } from './page-options.ts'
import type { PageRecorder, RecordedPool } from './page-recorder.ts'
import type { SourceReports } from './source-reports.ts'

/** The most entries of each list: more than a person reads, and few enough for one document a second. */
const MAX_POOLS = 200
const MAX_HOLDERS = 100
const MAX_WAITERS = 50
const MAX_FINDINGS = 20

const STARTED_AT = Math.round(Date.now() - process.uptime() * 1_000)
const SEVERITY = { critical: 0, warning: 1, healthy: 2 } as const

/** What the page remembers. */
export interface PageRecords {
  readonly recorder: PageRecorder
  readonly reports: SourceReports
}

/** A pool with everything that the page shows of it. */
interface ReadPool extends RecordedPool {
  readonly snapshot: PoolSnapshot
  readonly health: PoolHealth | undefined
}

/**
 * Reads everything that the page shows.
 *
 * @param filter only pools whose names contain it, and what belongs to them.
 */
export function readPage({ monitor, pools }: PageSources, records: PageRecords, filter: string): PageDocument {
  const { recorder, reports } = records
  const observed = pools()
  const { status, pools: health } = monitor.check()
  const healthOf = new Map(observed.map((pool, i) => [pool, health[i]]))
  const shown = recorder
    .find(observed)
    .map(
      (recorded): ReadPool => ({
        ...recorded,
        snapshot: recorded.pool.snapshot(),
        health: healthOf.get(recorded.pool),
      }),
    )
    .filter(({ snapshot }) => snapshot.name.includes(filter))
  return {
    time: Date.now(),
    process: { host: hostname(), pid: process.pid, startedAt: STARTED_AT },
    status,
    pools: first(shown.map(viewPool).sort(bySeverity), MAX_POOLS),
    ...viewCallers(shown),
    findings: viewFindings(shown),
    sources: reports.read(),
    events: recorder.events.filter(({ pool }) => pool.includes(filter)),
  }
}

/** The stack of the caller that holds a connection; null if the connection has been released. */
export function readStack({ pools }: PageSources, { recorder }: PageRecords, holder: string): string | null {
  for (const { id, pool } of recorder.find(pools())) {
    if (!holder.startsWith(`${id}-`)) continue
    const borrowed = pool.callers?.(MAX_HOLDERS).borrowed ?? []
    return borrowed.find((each) => `${id}-${each.id}` === holder)?.stack ?? null
  }
  return null
}

function viewPool({ id, snapshot, health, history }: ReadPool): PoolView {
  const { name, target, stats, topology, fleet } = snapshot
  const { max, total, idle, active, connecting, waiting, acquired, timeouts, suspectedLeaks } = stats
  return {
    ...{ id, name, target, server: topology && describeTopology(topology) },
    ...{ status: health?.status ?? 'healthy', reasons: health?.reasons ?? [] },
    ...{ max, total, idle, active, connecting, waiting, acquired, timeouts, suspectedLeaks, fleet },
    sample: history.latest ?? [Math.round(Date.now() / 1_000), active, max, waiting, null],
  }
}

/** Pools change places only when their status changes. */
function bySeverity(a: PoolView, b: PoolView): number {
  return SEVERITY[a.status] - SEVERITY[b.status] || a.name.localeCompare(b.name) || a.id - b.id
}

function viewCallers(pools: readonly ReadPool[]): Pick<PageDocument, 'holders' | 'waiters'> {
  const holders: HolderView[] = []
  const waiters: WaiterView[] = []
  for (const { id, pool, snapshot } of pools) {
    const { borrowed, waiting } = pool.callers?.(MAX_HOLDERS) ?? { borrowed: [], waiting: [] }
    holders.push(...borrowed.map((each) => viewHolder(each, id, snapshot.name)))
    waiters.push(...viewWaiters(waiting, snapshot.name))
  }
  const total = (count: 'active' | 'waiting') => pools.reduce((sum, { snapshot }) => sum + snapshot.stats[count], 0)
  return {
    holders: {
      ...first(
        holders.sort((a, b) => b.heldMillis - a.heldMillis),
        MAX_HOLDERS,
      ),
      total: total('active'),
    },
    waiters: {
      ...first(
        waiters.sort((a, b) => b.waitedMillis - a.waitedMillis),
        MAX_WAITERS,
      ),
      total: total('waiting'),
    },
  }
}

function viewHolder(borrowed: BorrowedConnection, poolId: number, pool: string): HolderView {
  const { id, label, heldMillis, quietMillis, query, inTransaction, lastStatement, suspected, stack } = borrowed
  const idle = inTransaction ? 'idle in transaction' : 'idle'
  return {
    id: `${poolId}-${id}`,
    ...{ pool, label, heldMillis, quietMillis, suspected },
    state: query ? 'running' : idle,
    statement: query ? query.text : lastStatement,
    runningMillis: query?.runningMillis ?? null,
    hasStack: stack !== null,
  }
}

/** One entry for each label: an operator reads routes, not callers. */
function viewWaiters(waiting: readonly WaitingCaller[], pool: string): WaiterView[] {
  const byLabel = Map.groupBy(waiting, ({ label }) => label)
  return Array.from(byLabel, ([label, callers]) => {
    const waitedMillis = Math.max(...callers.map((each) => each.waitedMillis))
    return { pool, label, count: callers.length, waitedMillis }
  })
}

function viewFindings(pools: readonly ReadPool[]): Shown<FindingView> {
  const all = pools.flatMap(({ snapshot }) =>
    (snapshot.insight?.findings ?? []).map((finding) => viewFinding(finding, snapshot.name)),
  )
  return first(
    all.sort((a, b) => b.usedShare - a.usedShare),
    MAX_FINDINGS,
  )
}

function viewFinding({ kind, label, text, site, usedShare, count }: InsightFinding, pool: string): FindingView {
  return { pool, kind, label, text, site, usedShare, count }
}

function first<Entry>(all: readonly Entry[], limit: number): Shown<Entry> {
  return { entries: all.slice(0, limit), total: all.length }
}
