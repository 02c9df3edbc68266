import type { BorrowedConnection, PoolCallers, PoolStats, WaitingCaller } from '@poolguard/core'
import type {
  FindingView,
  FleetView,
  HolderView,
  LaneView,
  PageDocument,
  PoolView,
  Shown,
  Status,
  WaiterView,
} from '@poolguard/page'
import type { PoolHistory } from './pool-history.ts'

/** The most entries of each list: more than a person reads, and few enough for one document a second. */
const MAX_POOLS = 200
const MAX_WAITERS = 50
const MAX_FINDINGS = 20
/** The callers of each pool, and of all. */
export const MAX_HOLDERS = 100

const SEVERITY = { critical: 0, warning: 1, healthy: 2 } as const

type ShownStats =
  | ('max' | 'limit' | 'total' | 'idle' | 'active' | 'connecting' | 'waiting')
  | ('acquired' | 'timeouts' | 'suspectedLeaks')

/** A pool with everything that the page shows of it. */
export interface PoolReading {
  /** Unique on the page. */
  readonly id: number
  readonly name: string
  readonly target: string
  readonly server: string | null
  readonly status: Status
  readonly reasons: readonly string[]
  readonly stats: Pick<PoolStats, ShownStats>
  readonly lanes: readonly LaneView[]
  readonly fleet: FleetView | null
  readonly findings: readonly Omit<FindingView, 'pool'>[]
  readonly callers: PoolCallers
  readonly history: PoolHistory
  /** Whether the page may resize it. */
  readonly isControlled: boolean
}

/** The parts of the document that show pools and their callers. */
export function viewPools(
  pools: readonly PoolReading[],
): Pick<PageDocument, 'pools' | 'holders' | 'waiters' | 'findings'> {
  const holders = pools.flatMap(({ id, name, callers }) => callers.borrowed.map((each) => viewHolder(each, id, name)))
  const waiters = pools.flatMap(({ name, callers }) => viewWaiters(callers.waiting, name))
  const findings = pools.flatMap((pool) => pool.findings.map((each) => viewFinding(each, pool.name)))
  const total = (count: 'active' | 'waiting') => pools.reduce((sum, { stats }) => sum + stats[count], 0)
  return {
    pools: first(pools.map(viewPool).sort(bySeverity), MAX_POOLS),
    holders: { ...first(holders.sort(byFalling('heldMillis')), MAX_HOLDERS), total: total('active') },
    waiters: { ...first(waiters.sort(byFalling('waitedMillis')), MAX_WAITERS), total: total('waiting') },
    findings: first(findings.sort(byFalling('usedShare')), MAX_FINDINGS),
  }
}

/** The pool with this holder, and its connection. */
export function findHolder(pools: Iterable<Pick<PoolReading, 'id' | 'callers'>>, holder: string): string | null {
  for (const { id, callers } of pools) {
    const found = callers.borrowed.find((each) => holderId(id, each) === holder)
    if (found) return found.stack
  }
  return null
}

/** The worst status of pools. */
export function worstOf(pools: readonly Pick<PoolReading, 'status'>[]): Status {
  return pools.reduce<Status>((worst, { status }) => (SEVERITY[status] < SEVERITY[worst] ? status : worst), 'healthy')
}

function viewPool({ history, stats, findings: _, callers: __, ...shown }: PoolReading): PoolView {
  const { max, limit, total, idle, active, connecting, waiting, acquired, timeouts, suspectedLeaks } = stats
  return {
    ...shown,
    ...{ max, limit, total, idle, active, connecting, waiting, acquired, timeouts, suspectedLeaks },
    sample: history.latest ?? [Math.round(Date.now() / 1_000), active, max, waiting, null],
  }
}

/** Pools change places only when their status changes. */
function bySeverity(a: PoolView, b: PoolView): number {
  return SEVERITY[a.status] - SEVERITY[b.status] || a.name.localeCompare(b.name) || a.id - b.id
}

function byFalling<Key extends string>(key: Key): (a: Record<Key, number>, b: Record<Key, number>) => number {
  return (a, b) => b[key] - a[key]
}

function holderId(poolId: number, { id }: BorrowedConnection): string {
  return `${poolId}-${id}`
}

function viewHolder(borrowed: BorrowedConnection, poolId: number, pool: string): HolderView {
  const { label, lane, heldMillis, quietMillis, query, inTransaction, lastStatement, suspected, stack } = borrowed
  const idle = inTransaction ? 'idle in transaction' : 'idle'
  return {
    id: holderId(poolId, borrowed),
    ...{ pool, label, lane, heldMillis, quietMillis, suspected },
    state: query ? 'running' : idle,
    statement: query ? query.text : lastStatement,
    runningMillis: query?.runningMillis ?? null,
    hasStack: stack !== null,
  }
}

/** One entry for each label and lane: an operator reads routes, not callers. */
function viewWaiters(waiting: readonly WaitingCaller[], pool: string): WaiterView[] {
  const byCaller = Map.groupBy(waiting, ({ label, lane }) => JSON.stringify([label, lane]))
  return Array.from(byCaller.values(), (callers) => {
    const { label = null, lane = null } = callers[0] ?? {}
    const waitedMillis = Math.max(...callers.map((each) => each.waitedMillis))
    return { pool, label, lane, count: callers.length, waitedMillis }
  })
}

function viewFinding(finding: PoolReading['findings'][number], pool: string): FindingView {
  const { kind, label, text, site, usedShare, count } = finding
  return { pool, kind, label, text, site, usedShare, count }
}

function first<Entry>(all: readonly Entry[], limit: number): Shown<Entry> {
  return { entries: all.slice(0, limit), total: all.length }
}
