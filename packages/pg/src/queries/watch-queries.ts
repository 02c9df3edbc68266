import { type SessionMeter, type SessionStateCheck, traceAwaiting } from '@poolguard/core/adapter'
import type { CallerAbort } from '@poolguard/core/connection'
import type { QueryConfig } from 'pg'
import type { WireClient } from '../wire-client.ts'
import { textOfQuery } from './client-queries.ts'
import { failQuery } from './query-style.ts'
import { sendTimed, type TimedConnection } from './query-timeouts.ts'

/** A connection whose queries are watched. */
export interface WatchedConnection extends TimedConnection {
  /** The error for queries sent after the server has ended the session. */
  rejection(): Error | undefined
  readonly callerAbort: CallerAbort
  /** Measures where the time of its leases goes. */
  readonly meter: SessionMeter | undefined
}

/** Checks every query of a client before it is sent. */
export function watchQueries(connection: WatchedConnection, sessions: SessionStateCheck): void {
  const { client, meter, callerAbort } = connection
  const hasTimeout = Boolean(client.connectionParameters.query_timeout)
  const send = client.query as (...query: unknown[]) => unknown
  const query = (...args: unknown[]): unknown => {
    const rejection = client._queryable ? sessions.reads && check(sessions, args[0]) : connection.rejection()
    if (rejection) return failQuery(rejection, args)
    if (callerAbort.isAborted && callerAbort.rejects(textOf(args[0])))
      return failQuery(callerAbort.reason as Error, args)
    // A statement behind others may be sent in the stack of another caller.
    const traces = meter?.lease && !client.pipeline ? meter.call(textOf(args[0]), query) : undefined
    const result =
      hasTimeout || (args[0] as { query_timeout?: number } | undefined)?.query_timeout
        ? sendTimed(connection, send, args)
        : send.apply(client, args)
    return traces && result instanceof Promise ? traceAwaiting(result, traces) : result
  }
  Object.defineProperty(client, 'query', { value: query, configurable: true, writable: true })
}

/** Returns the client's `query` without checks and preparing, for poolguard's own queries. */
export function unwatchedQuery(client: WireClient): WireClient['query'] {
  return (Object.getPrototypeOf(client) as WireClient).query.bind(client)
}

function textOf(query: unknown): string {
  return (typeof query === 'string' ? query : textOfQuery(query as object | undefined)) ?? ''
}

function check(sessions: SessionStateCheck, query: unknown): Error | undefined {
  if (typeof query === 'string') return sessions.check(query)
  // pg itself rejects a missing query.
  const { text, name } = (query ?? {}) as Partial<QueryConfig>
  return typeof text === 'string' ? sessions.check(text, name) : undefined
}
