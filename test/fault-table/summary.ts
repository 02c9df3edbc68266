import type { Stack } from './stack.ts'
import type { Verdict } from './verdict.ts'

export interface TableCell {
  readonly fault: string
  readonly stack: string
  /** Undefined if the stack's API does not allow the fault. */
  readonly verdict: Verdict | undefined
}

/** Totals of a stack over all faults. */
export interface Summary {
  readonly crashes: number
  readonly hangs: number
  readonly lost_commits: number
  readonly torn_writes: number
  readonly leaked_connections: number
  readonly unclear_errors: number
  readonly not_recovered: number
  readonly median_recovery_millis: number | null
}

export function summaryOf(cells: readonly TableCell[], stacks: readonly Stack[]): Record<string, Summary> {
  return Object.fromEntries(stacks.map(({ name }) => [name, summarize(cells.filter(({ stack }) => stack === name))]))
}

function summarize(cells: readonly TableCell[]): Summary {
  const verdicts = cells.flatMap(({ verdict }) => verdict ?? [])
  const sum = (of: (verdict: Verdict) => number) => verdicts.reduce((total, verdict) => total + of(verdict), 0)
  const recoveries = verdicts.flatMap(({ recoveryMillis }) => recoveryMillis ?? []).sort((a, b) => a - b)
  return {
    crashes: sum(({ crashes }) => crashes),
    hangs: sum(({ hangs }) => hangs),
    lost_commits: sum(({ lostCommits }) => lostCommits),
    torn_writes: sum(({ tornWrites }) => tornWrites),
    leaked_connections: sum(({ leakedConnections }) => leakedConnections),
    unclear_errors: new Set(verdicts.flatMap(({ unclearErrors }) => unclearErrors)).size,
    not_recovered: verdicts.filter(({ recoveryMillis }) => recoveryMillis === null).length,
    median_recovery_millis: recoveries[Math.floor(recoveries.length / 2)] ?? null,
  }
}
