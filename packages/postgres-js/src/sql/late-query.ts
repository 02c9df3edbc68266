import { findApplicationFrames, type LateQuery, setImmediate } from '@poolguard/core/adapter'
import type { Query } from '../internals.ts'

/** Told of a query that was sent when its transaction, or its reservation, had ended. */
export type ReportLate = (query: LateQuery) => void

/**
 * Fails a query that was sent too late, and reports it. A moment later, when it is known who awaits it: postgres.js handles a
 * query when it has left the caller's stack behind.
 */
export function rejectLate(query: Query, error: Error, report: ReportLate): void {
  setImmediate(() => {
    const { call, awaiting } = query.traces ?? {}
    report({ stack: findApplicationFrames([call, awaiting]), rejected: true })
    query.reject(error)
  })
}
