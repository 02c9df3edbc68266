import { findApplicationFrames, type LateQuery, setImmediate } from '@poolguard/core/adapter'
import type { Query } from '../internals.ts'

/** Reports a query that was sent after the end of its transaction or reservation. */
export type ReportLate = (query: LateQuery) => void

/**
 * Rejects and reports a query that was sent after the end of its transaction or reservation. Does so in a later turn of the event loop,
 * when the stack of the code that awaits the query is known.
 */
export function rejectLate(query: Query, error: Error, report: ReportLate): void {
  setImmediate(() => {
    const { call, awaiting } = query.traces ?? {}
    report({ stack: findApplicationFrames([call, awaiting]), rejected: true })
    query.reject(error)
  })
}
