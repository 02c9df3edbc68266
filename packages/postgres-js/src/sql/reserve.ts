import type { Lease, ListenTracker } from '@poolguard/core/adapter'
import type { ReservedSql, Sql } from 'postgres'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { Query } from '../internals.ts'
import { textOf } from '../queries/statement-text.ts'
import { bindQueries } from './bind-queries.ts'
import { type ReportLate, rejectLate } from './late-query.ts'

/**
 * A `sql` on a connection of its own. Its queries follow each other without waiting for answers, as far as postgres.js can
 * send one behind another.
 *
 * @param refuse what a query is to fail with instead of being sent.
 * @param reportLate is told of queries that are sent after the release.
 */
export function reserveOn(
  lease: Lease<PostgresConnection>,
  sql: Sql,
  refuse: (query: Query) => Error | undefined,
  reportLate: ReportLate,
): ReservedSql {
  const connection = lease.resource
  const waiting: Query[] = []
  let releasing = false
  let released = false
  let blocked = false

  /** Sends what can be sent; the rest when what was sent is answered. */
  const pump = () => {
    blocked = false
    while (!blocked && waiting.length > 0) blocked = !connection.execute(waiting.shift() as Query)
  }
  connection.onAnswered(pump)

  const handle = (query: Query) => {
    if (released) return rejectLate(query, releasedError(), reportLate)
    const refusal = refuse(query)
    if (refusal) return query.reject(refusal)
    trackListening(query, connection.listening)
    waiting.push(query)
    if (!blocked) pump()
  }
  const bound = bindQueries(sql, handle, { capturesStacks: () => released })
  return Object.assign(bound, {
    release: () => {
      if (releasing) return
      releasing = true
      // Queries that somebody waits for already are handled a moment later, and are to be sent still.
      queueMicrotask(() => {
        released = true
        connection.listening.reset()
        lease.release()
      })
    },
  }) as unknown as ReservedSql
}

/** A result, or several where the text had several statements. */
type Results = { readonly command?: unknown } & Iterable<{ readonly command?: unknown } | undefined>

/** A borrower who listens is quiet by nature. */
function trackListening(query: Query, listening: ListenTracker): void {
  const { resolve } = query
  query.resolve = (value) => {
    const results = Array.isArray(value) ? (value as unknown as Results) : undefined
    const each = results && (typeof results.command === 'string' ? [results] : results)
    for (const result of each ?? []) {
      if (typeof result?.command === 'string') listening.completed(result.command, () => textOf(query))
    }
    resolve(value)
  }
}

function releasedError(): Error {
  const code = 'CONNECTION_ENDED'
  return Object.assign(new Error(`${code}: this connection has been released; reserve another one`), { code })
}
