import type { WireClient } from '../wire-client.ts'

type Send = (...query: unknown[]) => unknown
type Fail = (error: unknown, ...rest: unknown[]) => unknown

/** A connection whose queries may have a `query_timeout`. */
export interface TimedConnection {
  readonly client: WireClient
  /** True if pg has given up a query that the server may still be running. */
  queryTimedOut: boolean
}

/** pg's error message for `query_timeout`. pg then gives up the query, but the server keeps running it. */
const TIMEOUT_MESSAGE = 'Query read timeout'

/** Sends a query that has a `query_timeout`, and marks its connection if the timeout expires. */
export function sendTimed(connection: TimedConnection, send: Send, args: unknown[]): unknown {
  const watch =
    (fail: Fail): Fail =>
    (error, ...rest) => {
      if (error instanceof Error && error.message === TIMEOUT_MESSAGE) connection.queryTimedOut = true
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
