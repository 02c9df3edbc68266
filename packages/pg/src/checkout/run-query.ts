import { AcquireTimeoutError, describeBorrowers, PoolguardError } from '@poolguard/core/adapter'
import type { QueryResult } from 'pg'
import { callApp } from '../call-app.ts'

type QueryDone = (error: Error | null, result?: QueryResult) => void

/** Runs one query on an acquired client and releases the client. */
export async function runQuery(...query: Parameters<typeof sendQuery>): Promise<QueryResult> {
  try {
    return await sendQuery(...query)
  } catch (error) {
    throw withCallersStack(error)
  }
}

/** An SQL error does not close the connection: the reset on release finds out whether it can be used again. */
function sendQuery(
  client: { query(text: string, values: unknown[], done: QueryDone): unknown },
  release: (destroy?: Error) => void,
  text: unknown,
  values: unknown,
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    let answered = false
    const done = (error: Error | null, result?: QueryResult) => {
      // pg calls back twice if the server answers a query that pg has already failed.
      if (answered) return
      answered = true
      callApp(() => release(error && mayLeaveClientBroken(error) ? error : undefined))
      if (error) reject(error)
      else resolve(result as QueryResult)
    }
    try {
      client.query(text as string, values as unknown[], done)
    } catch (error) {
      done(error as Error)
    }
  })
}

/**
 * True if a client may be unusable after a query failed with this error. After a server error the client is usable. After an error
 * of pg it may not be: pg may believe that a statement is prepared which it never sent, or the server may still be running the query.
 */
export function mayLeaveClientBroken(error: Error): boolean {
  return !('severity' in error) && !(error instanceof PoolguardError)
}

/** Replaces the stack of an error that came from the socket with the caller's, as pg does. */
export function withCallersStack(error: unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace(error, withCallersStack)
  if (error instanceof AcquireTimeoutError) error.stack += describeBorrowers(error.pool)
  return error
}
