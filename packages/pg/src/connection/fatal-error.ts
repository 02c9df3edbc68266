import { isFatal } from '@poolguard/core/connection'
import type { WireClient } from '../wire-client.ts'

/** SQLSTATE connection_failure, for pg's own errors of a lost connection, which have no code. */
const CONNECTION_FAILURE = '08006'

/**
 * Records the FATAL error with which a server ends a session (25P03, 57P01, PgBouncer's `query_wait_timeout`). pg rejects only the
 * running query with it; all further queries fail with "connection ended". This class sets the FATAL error as their `cause`,
 * and gives the errors that pg itself makes a code.
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

  /** The server has ended the session: it closes the connection, and runs nothing on it. */
  get hasEndedSession(): boolean {
    return this.#fatal !== undefined
  }

  /** Sets the FATAL error as the cause of an error of the lost connection; the code is its own, that of the FATAL error, or 08006. */
  explain<E>(error: E): E {
    // Errors of a login are classified by pg's text.
    if (error === this.#fatal || !(error instanceof Error) || this.#client._connecting) return error
    const fatal = this.#fatal as { readonly code?: string } | undefined
    const { code = fatal?.code ?? CONNECTION_FAILURE } = error as { readonly code?: string }
    // Enumerable, so that ORMs copy it to their own errors.
    return Object.assign(error, { code }, fatal && error.cause === undefined && { cause: fatal })
  }

  /** Why the connection was lost: the server's FATAL error, or else the socket's error. */
  reason(error: Error): unknown {
    return this.#fatal ?? error
  }

  /** The error for queries sent after the connection was lost; undefined before that. */
  rejection(): Error | undefined {
    if (this.#client._queryable) return undefined
    // Exactly pg's message: applications compare it.
    return this.explain(new Error('Client has encountered a connection error and is not queryable'))
  }
}
