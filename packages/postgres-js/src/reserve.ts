import type { Lease } from '@poolguard/core'
import type { ReservedSql, Sql } from 'postgres'
import { bindQueries } from './bind-queries.ts'
import type { Query } from './internals.ts'
import type { PostgresConnection } from './postgres-connection.ts'

/**
 * A `sql` on a connection of its own. Its queries follow each other without waiting for answers, as far as postgres.js can
 * send one behind another.
 *
 * @param refuse what a query is to fail with instead of being sent.
 */
export function reserveOn(
  lease: Lease<PostgresConnection>,
  sql: Sql,
  refuse: (query: Query) => Error | undefined,
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

  const bound = bindQueries(sql, (query) => {
    const refusal = released ? releasedError() : refuse(query)
    if (refusal) return query.reject(refusal)
    waiting.push(query)
    if (!blocked) pump()
  })
  return Object.assign(bound, {
    release: () => {
      if (releasing) return
      releasing = true
      // Queries that somebody waits for already are handled a moment later, and are to be sent still.
      queueMicrotask(() => {
        released = true
        lease.release()
      })
    },
  }) as unknown as ReservedSql
}

function releasedError(): Error {
  const code = 'CONNECTION_ENDED'
  return Object.assign(new Error(`${code}: this connection has been released; reserve another one`), { code })
}
