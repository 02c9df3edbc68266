import { isFatal } from '@poolguard/core/adapter'
import type { WireClient } from '../wire-client.ts'

/**
 * Records the FATAL error with which a server ends a session (25P03, 57P01, PgBouncer's `query_wait_timeout`). pg rejects only the
 * running query with it; all further queries fail with "connection ended". This class sets the FATAL error as their `cause`.
 */
export class FatalError {
  readonly #client: WireClient
  #fatal: unknown

  constructor(client: WireClient) {
    this.#client = client
    client.connection.on('errorMessage', (error) => {
      if (isFatal(error)) this.#fatal = error
    })
    const errorAll = client._errorAllQueries
    client._errorAllQueries = (error) => errorAll.call(client, this.explain(error))
  }

  /** Sets the FATAL error as the cause of an error of the lost connection. */
  explain<E>(error: E): E {
    if (this.#fatal === undefined || error === this.#fatal || !(error instanceof Error)) return error
    // Enumerable, so that ORMs copy it to their own errors.
    return error.cause === undefined ? Object.assign(error, { cause: this.#fatal }) : error
  }

  /** Why the connection was lost: the server's FATAL error, or else the socket's error. */
  reason(error: Error): unknown {
    return this.#fatal ?? error
  }

  /** The error for queries sent after the server has ended the session; undefined before that. */
  rejection(): Error | undefined {
    if (this.#fatal === undefined || this.#client._queryable) return undefined
    // Exactly pg's message: applications compare it.
    return this.explain(new Error('Client has encountered a connection error and is not queryable'))
  }
}
