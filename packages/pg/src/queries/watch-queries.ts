import type { SessionStateCheck } from '@poolguard/core/adapter'
import type { QueryConfig } from 'pg'
import type { WireClient } from '../wire-client.ts'
import { failQuery } from './query-style.ts'
import { sendTimed, type TimedConnection } from './query-timeouts.ts'

/** A connection whose queries are watched. */
export interface WatchedConnection extends TimedConnection {
  /** What a query must fail with that is sent after the server has ended the session. */
  refusal(): Error | undefined
}

/** Lets the guard read every query of a client before it is sent. */
export function watchQueries(connection: WatchedConnection, sessions: SessionStateCheck): void {
  const { client } = connection
  const hasTimeout = Boolean(client.connectionParameters.query_timeout)
  const send = client.query as (...query: unknown[]) => unknown
  const query = (...args: unknown[]): unknown => {
    const refusal = client._queryable ? sessions.reads && read(sessions, args[0]) : connection.refusal()
    if (refusal) return failQuery(refusal, args)
    return hasTimeout || (args[0] as { query_timeout?: number } | undefined)?.query_timeout
      ? sendTimed(connection, send, args)
      : send.apply(client, args)
  }
  Object.defineProperty(client, 'query', { value: query, configurable: true, writable: true })
}

/** What sends a text of our own, which nobody has to read or prepare. */
export function unwatchedQuery(client: WireClient): WireClient['query'] {
  return (Object.getPrototypeOf(client) as WireClient).query.bind(client)
}

function read(sessions: SessionStateCheck, query: unknown): Error | undefined {
  if (typeof query === 'string') return sessions.check(query)
  // Without a query, pg says so.
  const { text, name } = (query ?? {}) as Partial<QueryConfig>
  return typeof text === 'string' ? sessions.check(text, name) : undefined
}
