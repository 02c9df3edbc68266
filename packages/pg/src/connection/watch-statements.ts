import type { SessionGuard } from '@poolguard/core'
import type { QueryConfig } from 'pg'
import { sendTimed } from '../queries/query-timeouts.ts'
import type { WireClient } from '../wire-client.ts'
import type { PgConnection } from './pg-connection.ts'

/** Lets the guard read every query of a client before it is sent. */
export function watchStatements(connection: PgConnection, sessions: SessionGuard): void {
  const { client } = connection
  const hasTimeout = Boolean(client.connectionParameters.query_timeout)
  const send = client.query as (...query: unknown[]) => unknown
  const query = (...args: unknown[]): unknown => {
    const refusal = client._queryable ? sessions.reads && read(sessions, args[0]) : connection.lastWords.refusal()
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

function read(sessions: SessionGuard, query: unknown): Error | undefined {
  if (typeof query === 'string') return sessions.check(query)
  // Without a query, pg says so.
  const { text, name } = (query ?? {}) as Partial<QueryConfig>
  return typeof text === 'string' ? sessions.check(text, name) : undefined
}

/** Whether a query has neither a callback nor an interface of its own. */
export function answersByPromise([query, ...rest]: readonly unknown[]): boolean {
  const { callback, submit } = (query ?? {}) as Partial<Submitted>
  return typeof submit !== 'function' && ![...rest, callback].some((each) => typeof each === 'function')
}

/** Fails a query in the style in which it was sent, and returns what pg returns for that. */
export function failQuery(error: Error, [query, ...rest]: readonly unknown[]): unknown {
  const { callback, handleError, submit } = (query ?? {}) as Partial<Submitted>
  const done = [...rest, callback].find((each) => typeof each === 'function') as ((error: Error) => void) | undefined
  if (done) process.nextTick(done, error)
  else if (handleError) process.nextTick(() => handleError.call(query, error))
  else return Promise.reject(error)
  return typeof submit === 'function' ? query : undefined
}

/** What a query object of pg's, or of a package such as pg-cursor, may have. */
interface Submitted {
  readonly callback: unknown
  readonly handleError: (error: Error) => void
  readonly submit: unknown
}
