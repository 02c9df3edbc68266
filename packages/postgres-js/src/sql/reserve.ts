import type { Lease, ListenTracker } from '@poolguard/core/adapter'
import type { ReservedSql, Sql } from 'postgres'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { Query } from '../internals.ts'
import { textOf } from '../queries/statement-text.ts'
import { bindQueries } from './bind-queries.ts'
import { type ReportLate, rejectLate } from './late-query.ts'
import type { QueryCheck } from './run-query.ts'

/**
 * Returns a `sql` for a reserved connection. Queries are pipelined as far as postgres.js can send one behind another.
 *
 * @param check returns the error to reject a query with, or undefined if the query may be sent.
 * @param reportLate is called for queries that are sent after the release.
 */
export function reserveOn(
  lease: Lease<PostgresConnection>,
  sql: Sql,
  check: QueryCheck,
  reportLate: ReportLate,
): ReservedSql {
  const connection = lease.resource
  const queued: Query[] = []
  let releasing = false
  let released = false
  let blocked = false

  /** Sends queued queries until postgres.js cannot pipeline the next one. Called again when everything sent is answered. */
  const sendQueued = () => {
    blocked = false
    while (!blocked && queued.length > 0) blocked = !connection.execute(queued.shift() as Query)
  }
  connection.onAnswered(sendQueued)

  const handle = (query: Query) => {
    if (released) return rejectLate(query, releasedError(), reportLate)
    const rejection = check(query)
    if (rejection) return query.reject(rejection)
    trackListening(query, connection.listening)
    queued.push(query)
    if (!blocked) sendQueued()
  }
  const bound = bindQueries(sql, handle, {
    capturesStacks: (query) => released || connection.wantsStackOf(query),
  })
  return Object.assign(bound, {
    release: () => {
      if (releasing) return
      releasing = true
      // Queries awaited before the release are handled one microtask later and must still be sent.
      queueMicrotask(() => {
        released = true
        connection.listening.reset()
        connection.callerAbort.end()
        lease.release()
      })
    },
  }) as unknown as ReservedSql
}

/** One result, or several for a text of several statements. */
type Results = { readonly command?: unknown } & Iterable<{ readonly command?: unknown } | undefined>

/** Tracks LISTEN: a caller that listens for notifications is not a leak. */
function trackListening(query: Query, listening: ListenTracker): void {
  const { resolve } = query
  query.resolve = (value) => {
    const results = Array.isArray(value) ? (value as unknown as Results) : undefined
    const each = results && (typeof results.command === 'string' ? [results] : results)
    for (const result of each ?? []) {
      if (typeof result?.command === 'string') listening.onCommandComplete(result.command, () => textOf(query))
    }
    resolve(value)
  }
}

function releasedError(): Error {
  const code = 'CONNECTION_ENDED'
  return Object.assign(
    new Error(`${code}: this reserved connection has been released. Call sql.reserve() to get another one`),
    { code },
  )
}
