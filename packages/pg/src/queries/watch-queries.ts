import { type AbortWatch, isRollback, type SessionStateCheck } from '@poolguard/core/adapter'
import type { QueryConfig } from 'pg'
import type { WireClient } from '../wire-client.ts'
import { failQuery } from './query-style.ts'
import { sendTimed, type TimedConnection } from './query-timeouts.ts'

/** A connection whose queries are watched. */
export interface WatchedConnection extends TimedConnection {
  /** The error for queries sent after the server has ended the session. */
  rejection(): Error | undefined
  /** Set while a caller with a signal holds the connection. */
  readonly abortWatch: AbortWatch | undefined
}

/** Checks every query of a client before it is sent. */
export function watchQueries(connection: WatchedConnection, sessions: SessionStateCheck): void {
  const { client } = connection
  const hasTimeout = Boolean(client.connectionParameters.query_timeout)
  const send = client.query as (...query: unknown[]) => unknown
  const query = (...args: unknown[]): unknown => {
    const rejection = client._queryable ? sessions.reads && check(sessions, args[0]) : connection.rejection()
    if (rejection) return failQuery(rejection, args)
    const { abortWatch } = connection
    if (abortWatch?.aborted && !isRollback(textOf(args[0]))) return failQuery(abortWatch.reason as Error, args)
    return hasTimeout || (args[0] as { query_timeout?: number } | undefined)?.query_timeout
      ? sendTimed(connection, send, args)
      : send.apply(client, args)
  }
  Object.defineProperty(client, 'query', { value: query, configurable: true, writable: true })
}

/** Returns the client's `query` without checks and preparing, for poolguard's own queries. */
export function unwatchedQuery(client: WireClient): WireClient['query'] {
  return (Object.getPrototypeOf(client) as WireClient).query.bind(client)
}

function textOf(query: unknown): string {
  const text = typeof query === 'string' ? query : (query as Partial<QueryConfig> | undefined)?.text
  return typeof text === 'string' ? text : ''
}

function check(sessions: SessionStateCheck, query: unknown): Error | undefined {
  if (typeof query === 'string') return sessions.check(query)
  // pg itself rejects a missing query.
  const { text, name } = (query ?? {}) as Partial<QueryConfig>
  return typeof text === 'string' ? sessions.check(text, name) : undefined
}
