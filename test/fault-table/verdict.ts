import type { ErrorReport } from './messages.ts'

/** What was seen while and after a fault. */
export interface Observation {
  /** How the process ended by itself; its error. */
  readonly crash: string | undefined
  /** Callers that had no answer 15 s after the fault. */
  readonly hungCallers: number
  /** False if the pool did not end within 15 s, or the process did not after it. */
  readonly ended: boolean
  /** Writes whose commit the app has seen: the number of rows by id. */
  readonly committed: ReadonlyMap<number, number>
  /** The rows in the table by id. */
  readonly rows: ReadonlyMap<number, number>
  /** Connections that no caller keeps. */
  readonly expectedConnections: number
  /** Those of them that could be borrowed at the same time afterwards; undefined if the process had ended. */
  readonly connections: number | undefined
  /** Sessions on the server after the pool has ended. */
  readonly sessionsLeft: number
  readonly peakSessions: number
  readonly errors: readonly ErrorReport[]
  /** From the end of the fault to the next committed write; undefined if there was none. */
  readonly recoveryMillis: number | undefined
}

/** One cell of the table. */
export interface Verdict {
  readonly crashes: number
  readonly hangs: number
  /** Acknowledged to the app, but not in the table, or only in part. */
  readonly lostCommits: number
  /** Writes with more rows than were written, or transactions with one of their two rows. */
  readonly tornWrites: number
  readonly leakedConnections: number
  /** Texts of errors without a code, with `n` for each number: one text for the same error of many statements. */
  readonly unclearErrors: readonly string[]
  readonly recoveryMillis: number | null
  readonly peakSessions: number
  readonly failures: number
  readonly crash: string | null
}

/** Compares what the app knows to be committed with the table: ids of writes that were lost, and of those with too many rows. */
export function reconcile({ committed, rows }: Pick<Observation, 'committed' | 'rows'>): {
  readonly lost: readonly number[]
  readonly torn: readonly number[]
} {
  const lost = [...committed].filter(([id, count]) => (rows.get(id) ?? 0) < count)
  const torn = [...rows].filter(([id, count]) => id > 0 && count > (committed.get(id) ?? 2))
  return { lost: lost.map(([id]) => id), torn: torn.map(([id]) => id) }
}

export function verdictOf(seen: Observation): Verdict {
  const { lost, torn } = reconcile(seen)
  const unclear = seen.errors.filter(({ code }) => code === undefined)
  const missing = seen.connections === undefined ? 0 : seen.expectedConnections - seen.connections
  return {
    crashes: seen.crash === undefined ? 0 : 1,
    hangs: seen.hungCallers + (seen.ended || seen.crash !== undefined ? 0 : 1),
    lostCommits: lost.length,
    tornWrites: torn.length,
    leakedConnections: missing + seen.sessionsLeft,
    unclearErrors: [...new Set(unclear.map(({ text }) => text.replace(/\d+/g, 'n')))],
    recoveryMillis: seen.recoveryMillis === undefined ? null : Math.round(seen.recoveryMillis),
    peakSessions: seen.peakSessions,
    failures: seen.errors.length,
    crash: seen.crash ?? null,
  }
}

/** The worst of it, in a word or two. */
export function wordFor(verdict: Verdict): string {
  if (verdict.crashes > 0) return 'crash'
  if (verdict.lostCommits > 0) return `lost ${verdict.lostCommits}`
  if (verdict.tornWrites > 0) return `torn ${verdict.tornWrites}`
  if (verdict.hangs > 0) return 'hang'
  if (verdict.recoveryMillis === null) return 'dead'
  if (verdict.leakedConnections > 0) return `leak ${verdict.leakedConnections}`
  if (verdict.unclearErrors.length > 0) return 'unclear'
  return 'ok'
}
