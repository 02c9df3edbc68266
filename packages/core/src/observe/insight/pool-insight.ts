import { addDurations, type Durations, percentileMillis } from '../../pool/index.ts'
import type { InsightFinding } from './findings.ts'
import { type LeaseTimes, readTimes, totalMillis } from './lease-times.ts'
import { type MergedLabel, type MergedLane, type MergedWindows, ratio } from './merged-windows.ts'
import type { StatementUse } from './statement-use.ts'

/** The part of the insight that is in every snapshot. */
export interface InsightSummary {
  /** Where the time of all finished leases went, since the pool exists. */
  readonly times: LeaseTimes
  /** The same by label; see `runWithLabel`. */
  readonly timesByLabel: Readonly<Record<string, LeaseTimes>>
  /** The findings of the last minutes, the one that takes most of the pool's time first. */
  readonly findings: readonly InsightFinding[]
}

/** Durations of the last minutes, in milliseconds. */
export interface InsightDurations {
  readonly count: number
  readonly totalMillis: number
  readonly p50Millis: number
  readonly p99Millis: number
}

/** One statement, without its literals. */
export interface StatementInsight extends InsightDurations {
  /** The statement on one line, `?` for each literal. */
  readonly statement: string
  /** The operation of the ORM, if a comment of the statement names it. */
  readonly operation: string | null
  /** A line that sends it, as `src/checkout.ts:88`; null if unknown. */
  readonly site: string | null
  /** The time on the server as a share of the pool's capacity. */
  readonly capacityShare: number
}

/** Leases of the same kind. */
export interface LeasesInsight extends InsightDurations {
  readonly times: LeaseTimes
  /** Their time as a share of the pool's capacity: `max` connections for the whole time. */
  readonly capacityShare: number
  /** The same as a share of the time of all leases. */
  readonly usedShare: number
}

/** The leases of one lane. */
export interface LaneInsight extends LeasesInsight {
  readonly lane: string
}

/** The leases of one label. */
export interface LabelInsight extends LeasesInsight {
  /** A route or a job; null for leases without a label. */
  readonly label: string | null
  /** A line that acquires its connections; null if unknown. */
  readonly site: string | null
  /** Its statements, the one with most time on the server first. */
  readonly statements: readonly StatementInsight[]
}

/** One operation of an ORM. */
export interface OperationInsight extends InsightDurations {
  readonly operation: string
  readonly capacityShare: number
}

/** Where the time of a pool's connections went in the last five to ten minutes. Plain data without secrets. */
export interface PoolInsight {
  /** The time that it covers. */
  readonly windowMillis: number
  readonly times: LeaseTimes
  /** The time of all leases as a share of the pool's capacity. */
  readonly capacityShare: number
  /** The label that takes most of the time first. */
  readonly labels: readonly LabelInsight[]
  /** Of a pool that has lanes; the lane that takes most of the time first. */
  readonly lanes: readonly LaneInsight[]
  readonly operations: readonly OperationInsight[]
  /** All labels together, the statement with most time on the server first. */
  readonly statements: readonly StatementInsight[]
  readonly findings: readonly InsightFinding[]
}

export interface InsightSource {
  readonly merged: MergedWindows
  readonly now: number
  readonly findings: readonly InsightFinding[]
}

export function readInsight({ merged, now, findings }: InsightSource): PoolInsight {
  const { labels, lanes, times, usedMillis, capacityMillis, beganAt = now } = merged
  const shareOf = (millis: number) => ratio(millis, capacityMillis)
  const leasesOf = ({ leases, times: each }: MergedLabel | MergedLane) => ({
    ...durationsOf(leases),
    times: readTimes(each),
    capacityShare: shareOf(totalMillis(each)),
    usedShare: ratio(totalMillis(each), usedMillis),
  })
  const statements = mergeStatements(labels.flatMap(({ statements: each }) => each))
  return {
    windowMillis: now - beganAt,
    times: readTimes(times),
    capacityShare: shareOf(usedMillis),
    labels: byTotal(
      labels.map((each) => ({
        label: each.label,
        ...leasesOf(each),
        site: each.site,
        statements: statementsOf(mergeStatements(each.statements), shareOf),
      })),
    ),
    lanes: byTotal(lanes.map((each) => ({ lane: each.lane, ...leasesOf(each) }))),
    operations: operationsOf(statements, shareOf),
    statements: statementsOf(statements, shareOf),
    findings,
  }
}

interface MergedStatement {
  readonly statement: string
  readonly operation: string | null
  readonly site: string | null
  readonly times: Durations
}

/** Statements with the same text: it may have been forgotten and found again in between. */
function mergeStatements(uses: readonly StatementUse[]): MergedStatement[] {
  const grouped = Map.groupBy(uses, ({ statement }) => `${statement.operation ?? ''}\n${statement.text}`)
  return [...grouped.values()].flatMap((same) => {
    const statement = same[0]?.statement
    if (!statement) return []
    return {
      statement: statement.text,
      operation: statement.operation ?? null,
      site: same.findLast(({ site }) => site !== undefined)?.site ?? null,
      times: same.map(({ times }) => times.read()).reduce(addDurations),
    }
  })
}

function statementsOf(
  statements: readonly MergedStatement[],
  shareOf: (millis: number) => number,
): readonly StatementInsight[] {
  return byTotal(
    statements.map(({ times, ...rest }) => ({
      ...rest,
      ...durationsOf(times),
      capacityShare: shareOf(times.sumMillis),
    })),
  )
}

function operationsOf(
  statements: readonly MergedStatement[],
  shareOf: (millis: number) => number,
): readonly OperationInsight[] {
  const named = statements.filter(({ operation }) => operation !== null)
  const grouped = Map.groupBy(named, ({ operation }) => operation as string)
  return byTotal(
    [...grouped].map(([operation, same]) => {
      const times = same.map((each) => each.times).reduce(addDurations)
      return { operation, ...durationsOf(times), capacityShare: shareOf(times.sumMillis) }
    }),
  )
}

function durationsOf(durations: Durations): InsightDurations {
  return {
    count: durations.count,
    totalMillis: durations.sumMillis,
    p50Millis: percentileMillis(durations, 0.5),
    p99Millis: percentileMillis(durations, 0.99),
  }
}

function byTotal<T extends { readonly totalMillis: number }>(all: T[]): T[] {
  return all.sort((a, b) => b.totalMillis - a.totalMillis)
}
