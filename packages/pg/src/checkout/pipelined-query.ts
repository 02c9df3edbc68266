import { type Pipelining, type SharedRequest, systemClock } from '@poolguard/core/adapter'
import { SharedStatement } from '@poolguard/core/connection'
import type { QueryResult } from 'pg'
import { callApp } from '../call-app.ts'
import type { PgConnection } from '../connection/pg-connection.ts'
import type { RejectedQuery } from '../statements/sent-query.ts'
import { mayLeaveClientBroken } from './run-query.ts'

/** pg's error message for `query_timeout`. */
const TIMEOUT_MESSAGE = 'Query read timeout'

/** A query of `pool.query` that may share its connection, in the form in which pg takes it. */
export interface PoolQuery {
  readonly text: string
  /** The caller's query object, or its text. */
  readonly query: unknown
  readonly values: unknown
  /** The caller's own prepared statement. */
  readonly name: string | undefined
  /** The query's own `query_timeout`. */
  readonly timeoutMillis: number | undefined
}

/** The members of a query object that decide whether the query may share its connection. */
interface QueryObject {
  readonly text?: unknown
  readonly values?: unknown
  readonly name?: unknown
  readonly query_timeout?: unknown
  readonly submit?: unknown
  readonly rows?: unknown
  readonly portal?: unknown
  readonly callback?: unknown
}

/** Undefined for a query that must have its own connection: a cursor or stream, pages of rows, a callback in the query object. */
export function readPoolQuery(query: unknown, values: unknown): PoolQuery | undefined {
  if (typeof query === 'string') return { text: query, query, values, name: undefined, timeoutMillis: undefined }
  if (typeof query !== 'object' || query === null) return undefined
  const { text, name, query_timeout: timeout, submit, rows, portal, callback } = query as QueryObject
  if (typeof text !== 'string' || submit || rows || portal || callback) return undefined
  if (name !== undefined && name !== null && typeof name !== 'string') return undefined
  return {
    text,
    query,
    values,
    name: name || undefined,
    timeoutMillis: typeof timeout === 'number' ? timeout : undefined,
  }
}

/** What an object costs at least in the request, if it is sent as JSON. */
const OBJECT_BYTES = 1_024

/** The approximate size of a request. */
export function sizeOf({ text, query, values }: PoolQuery): number {
  const all = values ?? (query as QueryObject).values
  let bytes = text.length
  if (Array.isArray(all)) for (const value of all) bytes += sizeOfValue(value)
  return bytes
}

function sizeOfValue(value: unknown): number {
  if (typeof value === 'string') return value.length
  if (typeof value !== 'object' || value === null) return 8
  if (ArrayBuffer.isView(value)) return value.byteLength
  return Array.isArray(value) ? value.length * 16 : OBJECT_BYTES
}

interface PipelinedQueryParts {
  readonly pipelining: Pipelining<PgConnection>
  readonly request: SharedRequest
  readonly query: PoolQuery
  readonly outcome: PromiseWithResolvers<QueryResult>
  readonly signal: AbortSignal | undefined
  /** Set if the server has refused it once because of its prepared statement. */
  readonly refused?: RejectedQuery
}

/** A query of `pool.query` that may be sent behind others. */
export class PipelinedQuery extends SharedStatement<PgConnection> {
  readonly #parts: PipelinedQueryParts
  #connection: PgConnection | undefined
  #cancelTimeout: (() => void) | undefined
  #isAnswered = false

  constructor(parts: PipelinedQueryParts) {
    super(parts.request, parts.signal)
    this.#parts = parts
  }

  suits(connection: PgConnection): boolean {
    const { name, text } = this.#parts.query
    if (!connection.usable || !connection.health.isFine || connection.inTransaction) return false
    // If the Parse of the caller's statement failed, those behind it would fail for another reason.
    return name === undefined || connection.client.connection.parsedStatements[name] === text
  }

  send(connection: PgConnection, isBehind: boolean): void {
    this.#connection = connection
    const done = (error: Error | null, result?: QueryResult) => this.#onAnswered(error, result)
    const { timeoutMillis } = this.#parts.query
    try {
      const send = () => connection.sendShared(this.#config(), this.#values(), done, isBehind)
      const clientTimeoutMillis = connection.queryTimeoutMillis
      const millis = timeoutMillis || clientTimeoutMillis
      if (millis) this.#cancelTimeout = systemClock.after(millis, () => this.#timeOut())
      if (this.#parts.refused) connection.sent.resend(this.#parts.refused, send)
      else send()
    } catch (error) {
      done(error as Error)
    }
  }

  reject(error: unknown): void {
    this.#parts.outcome.reject(error)
  }

  /** pg closes the connection if a query in a pipeline times out, so the timeout is ours. */
  #config(): unknown {
    const { query, timeoutMillis } = this.#parts.query
    if (!timeoutMillis) return query
    return Object.assign(Object.create(Object.getPrototypeOf(query)), query, { query_timeout: 0 })
  }

  /** The values of a refused query were converted already. */
  #values(): unknown {
    return this.#parts.refused ? this.#parts.refused.sent.binding.values : this.#parts.query.values
  }

  #timeOut(): void {
    if (this.#isAnswered || this.isAbandoned) return
    callApp(() => this.#parts.pipelining.abandon(this))
    this.#parts.outcome.reject(new Error(TIMEOUT_MESSAGE))
  }

  #onAnswered(error: Error | null, result?: QueryResult): void {
    // pg calls back twice if the server answers a query that pg has already failed.
    if (this.#isAnswered) return
    this.#isAnswered = true
    this.#cancelTimeout?.()
    const broken = error && mayLeaveClientBroken(error) ? error : undefined
    const refused = error ? this.#connection?.sent.refusedWith(error) : undefined
    if (refused) this.#connection?.health.forgive()
    callApp(() => this.#parts.pipelining.finish(this, error !== null, broken))
    if (this.isAbandoned) return
    if (refused) this.#sendAgain(refused)
    else if (error) this.#parts.outcome.reject(error)
    else this.#parts.outcome.resolve(result as QueryResult)
  }

  /** The server has run no part of it. */
  #sendAgain(refused: RejectedQuery): void {
    this.#parts.pipelining.run(new PipelinedQuery({ ...this.#parts, refused }))
  }
}
