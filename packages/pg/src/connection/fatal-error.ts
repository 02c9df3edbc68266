import { isFatal } from '@poolguard/core/adapter'
import type { WireClient } from '../wire-client.ts'

/**
 * Keeps the FATAL error with which a server ends a session (25P03, 57P01, PgBouncer's `query_wait_timeout`). pg fails only the
 * running query with it; every other query fails only because the connection has ended. Here they get it as the `cause`.
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

  /** Gives an error of the lost connection its cause. */
  explain<E>(error: E): E {
    if (this.#fatal === undefined || error === this.#fatal || !(error instanceof Error)) return error
    // Enumerable, so that ORMs copy it to errors of their own.
    return error.cause === undefined ? Object.assign(error, { cause: this.#fatal }) : error
  }

  /** Why the connection was lost: what the server said, or else the error of the socket. */
  reason(error: Error): unknown {
    return this.#fatal ?? error
  }

  /** What a query is to fail with that is sent after the server has ended the session; undefined before. */
  refusal(): Error | undefined {
    if (this.#fatal === undefined || this.#client._queryable) return undefined
    // Exactly pg's message, which applications compare with.
    return this.explain(new Error('Client has encountered a connection error and is not queryable'))
  }
}
