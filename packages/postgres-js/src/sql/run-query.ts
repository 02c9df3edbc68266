import { Stream } from 'node:stream'
import type { Lease } from '@poolguard/core/adapter'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { Query } from '../internals.ts'

/** Returns the error to reject a query with, or undefined if it may be sent. */
export type QueryCheck = (query: Query) => Error | undefined

/**
 * Runs one query: acquires a connection, sends the query, and releases the connection at ReadyForQuery. postgres.js settles the query
 * earlier than that, because it pipelines.
 *
 * @param acquire is called immediately, while the caller's stack is known.
 * @param signal rejects the query with its reason when it is aborted, and cancels the query on the server.
 */
export function handleAlone(
  query: Query,
  acquire: () => Promise<Lease<PostgresConnection>>,
  check: QueryCheck,
  signal: AbortSignal | undefined,
): void {
  // Cancelled before it was awaited; postgres.js has rejected it already.
  if (query.cancelled) return
  acquire().then(
    (lease) => {
      const rejection = query.cancelled ? undefined : signal?.aborted ? signal.reason : check(query)
      if (rejection) query.reject(rejection)
      if (rejection || query.cancelled) lease.release()
      else if (signal) sendUntilAborted(query, lease, signal)
      else send(query, lease)
    },
    (error: unknown) => query.reject(withOrigin(error, query)),
  )
}

function sendUntilAborted(query: Query, lease: Lease<PostgresConnection>, signal: AbortSignal): void {
  const { reject } = query
  const abort = () => reject(signal.reason)
  signal.addEventListener('abort', abort, { once: true })
  lease.resource.callerAbort.watch(signal, () => lease.destroy())
  send(query, lease, () => signal.removeEventListener('abort', abort))
}

function send(query: Query, lease: Lease<PostgresConnection>, onEnded?: () => void): void {
  const connection = lease.resource
  const { preparer } = connection
  preparer.decide(query)
  // The steps of a cursor settle it, so its outcome is not held back.
  const outcome = query.cursorFn ? undefined : new DeferredOutcome(query)
  const onAnswered = () => {
    const opened = connection.inTransaction
    if (outcome && !opened && !connection.lost && preparer.retryUnprepared(outcome.error, query)) {
      outcome.discard()
      connection.health.forgive()
      connection.run(query, onAnswered)
      return
    }
    onEnded?.()
    if (outcome) preparer.onOutcome(outcome.error, query)
    connection.callerAbort.end()
    if (preparer.hasLostStatements) lease.destroy()
    else lease.release()
    outcome?.settle(opened)
  }
  connection.run(query, onAnswered)
}

/**
 * Holds back the outcome of a query until its connection is released, so that the caller's next query finds the connection idle, and
 * until it is known whether the query has left a transaction open.
 */
class DeferredOutcome {
  /** The error of the query; undefined if it succeeded. */
  error: unknown
  #settle: ((openedTransaction: boolean) => void) | undefined

  constructor(query: Query) {
    const { resolve, reject } = query
    query.resolve = (value) => {
      // A COPY stream must be passed on immediately: the connection becomes ready only after the caller has used it.
      if (value instanceof Stream) return resolve(value)
      this.#settle ??= (opened) => (opened ? reject(unsafeTransaction()) : resolve(value))
    }
    query.reject = (error) => {
      if (this.#settle) return
      this.error = error
      this.#settle = () => reject(error)
    }
  }

  settle(openedTransaction: boolean): void {
    this.#settle?.(openedTransaction)
  }

  /** Discards the outcome, because the query is sent again. */
  discard(): void {
    this.error = undefined
    this.#settle = undefined
  }
}

/** postgres.js' own error. The release rolls the transaction back. */
function unsafeTransaction(): Error {
  const code = 'UNSAFE_TRANSACTION'
  return Object.assign(new Error(`${code}: Only use sql.begin or sql.reserve`), { code })
}

/** Adds the stack of the code that created the query, if postgres.js has recorded it. */
export function withOrigin(error: unknown, query: Query): unknown {
  if (error instanceof Error && query.origin) error.stack += query.origin.slice(Math.max(0, query.origin.indexOf('\n')))
  return error
}
