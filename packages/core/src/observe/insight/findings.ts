import type { PoolWaste } from '../../pool/index.ts'
import { describeAtOnce, describeCpu, describeIdle, describeRepeats, describeTransaction } from './describe-finding.ts'
import { type Gap, type LabelUse, MANY_AT_ONCE } from './label-use.ts'
import { addTimes, doubles, LEASE_TIMES, LeaseTime, totalMillis } from './lease-times.ts'
import { type MergedLabel, type MergedWindows, ratio } from './merged-windows.ts'
import type { StatementUse } from './statement-use.ts'

/** What wastes a pool's connections. */
export type InsightKind =
  /** A transaction waits for something that is not the database. */
  | 'idle-in-transaction'
  /** A connection is held outside a transaction, and no statement runs. */
  | 'held-without-statement'
  /** Connections wait for the event loop of this process. */
  | 'event-loop'
  /** One request runs the same statement many times (N+1). */
  | 'repeated-statement'
  /** One request uses several connections at once, as with `Promise.all`. */
  | 'parallel-checkouts'

/** A cause of long waits in the app's own code. Texts show no literals of statements. */
export interface InsightFinding {
  readonly kind: InsightKind
  /** The route or job; null for callers without a label. */
  readonly label: string | null
  /** The problem with its numbers and the change to make, in one paragraph. */
  readonly text: string
  /** The line to look at, as `src/checkout.ts:88`; null if unknown. */
  readonly site: string | null
  /** The statement that is repeated, or after which the connection was idle; null if there is none. */
  readonly statement: string | null
  /** The time of the label's leases as a share of the time of all leases. */
  readonly usedShare: number
  /** The same as a share of the pool's capacity: `max` connections for the whole time. */
  readonly capacityShare: number
  /** How often it happened: leases, or requests. */
  readonly count: number
}

/** A label is reported if its idle leases spend at least this share of its time without a statement. */
const MIN_WASTED_SHARE = 0.25
/** Fewer milliseconds in all are not worth a change. */
const MIN_WASTED_MILLIS = 50
/** Connections that run no statement for at least this share of their time explain the waits. */
const MIN_UNUSED_SHARE = 0.5

/** The shares of a label, for its findings. */
export interface Shares {
  readonly usedShare: number
  readonly capacityShare: number
}

export function findingsOf({ labels, usedMillis, capacityMillis }: MergedWindows): readonly InsightFinding[] {
  return labels
    .flatMap((label) => {
      const millis = totalMillis(label.times)
      const shares = { usedShare: ratio(millis, usedMillis), capacityShare: ratio(millis, capacityMillis) }
      return [...wasteOf(label, shares), ...repeatsOf(label, shares), ...atOnceOf(label, shares)]
    })
    .sort((a, b) => b.usedShare - a.usedShare)
}

const WASTES = [
  { kind: 'idle-in-transaction', time: LeaseTime.IdleInTransaction, describe: describeTransaction },
  { kind: 'held-without-statement', time: LeaseTime.Idle, describe: describeIdle },
  { kind: 'event-loop', time: LeaseTime.OwnCpu, describe: describeCpu },
] as const

function wasteOf({ label, uses, site }: MergedLabel, shares: Shares): InsightFinding[] {
  const times = doubles(LEASE_TIMES)
  for (const use of uses) addTimes(times, use.wastefulTimes)
  const leases = uses.reduce((sum, { wastefulLeases }) => sum + wastefulLeases, 0)
  const millis = totalMillis(times)
  const statementMillis = (times[LeaseTime.Statement] as number) / leases
  return WASTES.flatMap(({ kind, time, describe }) => {
    const wastedMillis = times[time] as number
    if (wastedMillis < MIN_WASTED_MILLIS || wastedMillis < millis * MIN_WASTED_SHARE) return []
    const gap = longestOf(uses, time)
    const waste = { label, leases, millis: millis / leases, statementMillis, gap, ...shares }
    const acquiredAt = uses.findLast(({ wasteSite }) => wasteSite !== undefined)?.wasteSite ?? site
    const found = gap?.site ?? gap?.after?.site ?? acquiredAt
    return {
      ...{ kind, label, ...shares, count: leases, site: found ?? null },
      statement: gap?.after?.statement.text ?? null,
      text: describe({ ...waste, acquiredAt: acquiredAt ?? null }),
    }
  })
}

function longestOf(uses: readonly LabelUse[], time: LeaseTime): Gap | undefined {
  const gaps = uses.map(({ gaps: each }) => each[time]).filter((gap) => gap !== undefined)
  return gaps.reduce<Gap | undefined>(
    (longest, gap) => (longest && longest.millis >= gap.millis ? longest : gap),
    undefined,
  )
}

function repeatsOf({ label, statements }: MergedLabel, shares: Shares): InsightFinding[] {
  const repeated = Map.groupBy(
    statements.filter(({ mostRepeats }) => mostRepeats > 0),
    ({ statement }) => statement.text,
  )
  return [...repeated.values()].map((uses) => describeRepeated(label, uses, shares))
}

function describeRepeated(label: string | null, uses: readonly StatementUse[], shares: Shares): InsightFinding {
  const last = uses.at(-1) as StatementUse
  const requests = uses.reduce((sum, { repeatingRequests }) => sum + repeatingRequests, 0)
  const most = Math.max(...uses.map(({ mostRepeats }) => mostRepeats))
  const site = uses.findLast(({ repeatSite }) => repeatSite !== undefined)?.repeatSite ?? last.site ?? null
  const { text: statement } = last.statement
  return {
    ...{ kind: 'repeated-statement', label, ...shares, count: requests, site, statement },
    text: describeRepeats({ label, statement, requests, most, site }),
  }
}

function atOnceOf({ label, uses, site: acquiredAt }: MergedLabel, shares: Shares): InsightFinding[] {
  const most = Math.max(...uses.map(({ mostAtOnce }) => mostAtOnce))
  if (most < MANY_AT_ONCE) return []
  const requests = uses.reduce((sum, { requestsWithMany }) => sum + requestsWithMany, 0)
  const site = uses.findLast(({ atOnceSite }) => atOnceSite !== undefined)?.atOnceSite ?? acquiredAt
  return [
    {
      ...{ kind: 'parallel-checkouts', label, ...shares, count: requests, site, statement: null },
      text: describeAtOnce({ label, most, requests, site }),
    },
  ]
}

/** Undefined if the pool's connections mostly run statements, or no code stands out. */
export function wasteOfPool(
  { times, usedMillis }: MergedWindows,
  findings: readonly InsightFinding[],
): PoolWaste | undefined {
  const first = findings.find(({ kind }) => WASTES.some((waste) => waste.kind === kind))
  if (!first) return undefined
  const unusedShare = 1 - ratio(times[LeaseTime.Statement] as number, usedMillis)
  return unusedShare >= MIN_UNUSED_SHARE ? { unusedShare, text: first.text } : undefined
}
