import { Stream } from 'node:stream'
import type { Lease } from '@poolguard/core/adapter'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { Query } from '../internals.ts'

/**
 * Handles one query: borrows a connection for it, and gives that back when it is ready for the next one. That is later than
 * postgres.js says it has the outcome, of which it makes a pipeline.
 *
 * @param borrow as early as can be told who borrows.
 * @param refuse what the query is to fail with instead of being sent.
 */
export function handleAlone(
  query: Query,
  borrow: () => Promise<Lease<PostgresConnection>>,
  refuse: (query: Query) => Error | undefined,
): void {
  // Cancelled before anybody wanted its outcome; it has been told.
  if (query.cancelled) return
  borrow().then(
    (lease) => {
      const refusal = query.cancelled ? undefined : refuse(query)
      if (refusal) query.reject(refusal)
      if (refusal || query.cancelled) lease.release()
      else send(query, lease)
    },
    (error: unknown) => query.reject(withOrigin(error, query)),
  )
}

function send(query: Query, lease: Lease<PostgresConnection>): void {
  const connection = lease.resource
  const { preparer } = connection
  preparer.decide(query)
  // A cursor's outcomes belong to its steps.
  const outcome = query.cursorFn ? undefined : new HeldOutcome(query)
  const answered = () => {
    const opened = connection.inTransaction
    if (outcome && !opened && !connection.lost && preparer.unname(outcome.error, query)) {
      outcome.forget()
      connection.health.forgive()
      connection.run(query, answered)
      return
    }
    if (outcome) preparer.learn(outcome.error, query)
    if (preparer.spent) lease.destroy()
    else lease.release()
    outcome?.settle(opened)
  }
  connection.run(query, answered)
}

/**
 * The outcome of a query, kept until its connection has been given back, so that whoever waits for it finds that one free;
 * and until it is known whether a transaction was left open.
 */
class HeldOutcome {
  /** Why it failed; undefined where it did not. */
  error: unknown
  #settle: ((openedTransaction: boolean) => void) | undefined

  constructor(query: Query) {
    const { resolve, reject } = query
    query.resolve = (value) => {
      // Of COPY, whose user has to go on before the connection is ready.
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

  /** It will have another one. */
  forget(): void {
    this.error = undefined
    this.#settle = undefined
  }
}

/** As postgres.js says it. The transaction is rolled back when the connection is given back. */
function unsafeTransaction(): Error {
  const code = 'UNSAFE_TRANSACTION'
  return Object.assign(new Error(`${code}: Only use sql.begin or sql.reserve`), { code })
}

/** Adds where the query was written, as far as postgres.js knows that. */
export function withOrigin(error: unknown, query: Query): unknown {
  if (error instanceof Error && query.origin) error.stack += query.origin.slice(Math.max(0, query.origin.indexOf('\n')))
  return error
}
