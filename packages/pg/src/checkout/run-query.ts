import { AcquireTimeoutError, PoolguardError } from '@poolguard/core'
import { describeBorrowers } from '@poolguard/core/adapter'
import type { QueryResult } from 'pg'
import { callApp } from '../call-app.ts'

type QueryDone = (error: Error | null, result?: QueryResult) => void

/** Runs one query on a client that was lent for it, and releases the client. */
export async function runQuery(...query: Parameters<typeof ask>): Promise<QueryResult> {
  try {
    return await ask(...query)
  } catch (error) {
    throw withCallersStack(error)
  }
}

/** An error of SQL does not cost the connection: whether that can be lent again, the engine finds out. */
function ask(
  client: { query(text: string, values: unknown[], done: QueryDone): unknown },
  release: (destroy?: Error) => void,
  text: unknown,
  values: unknown,
): Promise<QueryResult> {
  return new Promise((resolve, reject) => {
    let answered = false
    const done = (error: Error | null, result?: QueryResult) => {
      // pg answers a second time when the server answers what it had already failed.
      if (answered) return
      answered = true
      callApp(() => release(error && mayHaveSpoilt(error) ? error : undefined))
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
 * Whether a client may be in disorder after this error of a query. An error of the server's own leaves it fit. One of pg's
 * does not: a name whose parameters it could not send stays unknown to the server, and a query that it no longer waits for
 * goes on.
 */
function mayHaveSpoilt(error: Error): boolean {
  return !('severity' in error) && !(error instanceof PoolguardError)
}

/** An error that came off the wire has a stack that ends in the socket; this one leads to whoever asked, as in pg. */
export function withCallersStack(error: unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace(error, withCallersStack)
  if (error instanceof AcquireTimeoutError) error.stack += describeBorrowers(error.pool)
  return error
}
