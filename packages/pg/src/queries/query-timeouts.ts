import type { WireClient } from '../wire-client.ts'

type Send = (...query: unknown[]) => unknown
type Fail = (error: unknown, ...rest: unknown[]) => unknown

/** A connection whose queries may have a `query_timeout`. */
export interface TimedConnection {
  readonly client: WireClient
  /** pg has given up a query that the server is still running. */
  queryTimedOut: boolean
}

/** As pg says it when the `query_timeout` of a query is over. pg forgets the query then, but the server goes on with it. */
const TIMED_OUT = 'Query read timeout'

/** Sends a query that has a `query_timeout`, and marks its connection when that is over. */
export function sendTimed(connection: TimedConnection, send: Send, args: unknown[]): unknown {
  const watch =
    (fail: Fail): Fail =>
    (error, ...rest) => {
      if (error instanceof Error && error.message === TIMED_OUT) connection.queryTimedOut = true
      return fail(error, ...rest)
    }
  const query = args[0] as { callback?: Fail; submit?: unknown; handleError?: Fail }
  if (typeof query.submit === 'function' && query.handleError) query.handleError = watch(query.handleError.bind(query))
  const watched = args.map((each) => (typeof each === 'function' ? watch(each as Fail) : each))
  if (typeof query.callback === 'function' && !query.submit) watched[0] = { ...query, callback: watch(query.callback) }
  const result = send.apply(connection.client, watched)
  return result instanceof Promise ? result.catch(watch(rethrow)) : result
}

function rethrow(error: unknown): never {
  throw error
}
