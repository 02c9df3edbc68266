import type { Pipelining, SharedRequest } from '@poolguard/core/adapter'
import { classifyStatementFailure, SharedStatement } from '@poolguard/core/connection'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { ParsedOptions, Query } from '../internals.ts'
import { canSerialize } from '../queries/pipelined-text.ts'
import { declaredTypesOf } from '../queries/query-arguments.ts'
import { type QueryCheck, withOrigin } from './run-query.ts'

/** The parts of a guarded `sql` that a pipelined query needs. */
export interface PipelinedSql {
  readonly pipelining: Pipelining<PostgresConnection>
  readonly check: QueryCheck
  /** The shared serializers. */
  readonly shared: Pick<ParsedOptions, 'serializers'>
  /** The types of a statement's parameters, as reported by the server, with the types that postgres.js declared. */
  readonly types: WeakMap<object, StatementTypes>
}

export interface StatementTypes {
  readonly declared: string
  readonly types: readonly number[]
}

/** A query outside of transactions that may be sent behind others. */
export class PipelinedQuery extends SharedStatement<PostgresConnection> {
  readonly #sql: PipelinedSql
  readonly #request: SharedRequest
  readonly #query: Query
  /** The query's own functions. */
  readonly #settle: Pick<Query, 'resolve' | 'reject'>
  #isAnswered = false
  /** The types for which the parameters were serialized, and whether that works. */
  #tried: { readonly types: StatementTypes | undefined; readonly works: boolean } | undefined
  #declared: string | undefined

  constructor(
    sql: PipelinedSql,
    request: SharedRequest,
    query: Query,
    signal: AbortSignal | undefined,
    settle?: Pick<Query, 'resolve' | 'reject'>,
  ) {
    super(request, signal)
    this.#sql = sql
    this.#request = request
    this.#query = query
    const { resolve, reject } = query
    this.#settle = settle ?? { resolve: (value) => resolve(value), reject: (error) => reject(error) }
  }

  override get mayJoin(): boolean {
    return super.mayJoin && this.#canSerialize()
  }

  #canSerialize(): boolean {
    const { types: allTypes, shared } = this.#sql
    const types = allTypes.get(this.profile)
    if (!this.#tried || this.#tried.types !== types) {
      const isKnown = types !== undefined && types.declared === this.#declaredTypes
      this.#tried = { types, works: isKnown && canSerialize(this.#query, types.types, shared) }
    }
    return this.#tried.works
  }

  #rememberTypes(): void {
    const types = this.#query.statement?.types
    if (!types) return
    const known = this.#sql.types.get(this.profile)
    const declared = this.#declaredTypes
    const isSame =
      known?.declared === declared &&
      known.types.length === types.length &&
      known.types.every((type, index) => type === types[index])
    if (!isSame) this.#sql.types.set(this.profile, { declared, types: [...types] })
  }

  get #declaredTypes(): string {
    this.#declared ??= declaredTypesOf(this.#query)
    return this.#declared
  }

  suits(connection: PostgresConnection): boolean {
    return connection.takesMore && connection.health.isFine && !connection.preparer.hasLostStatements
  }

  send(connection: PostgresConnection): void {
    const query = this.#query
    const rejection = query.cancelled ? undefined : this.#sql.check(query)
    if (rejection) this.#settle.reject(rejection)
    if (rejection || query.cancelled) {
      this.#sql.pipelining.finish(this, true)
      return
    }
    connection.preparer.decide(query)
    query.resolve = (value) => this.#onOutcome(connection, undefined, value)
    query.reject = (error) => this.#onOutcome(connection, error, undefined)
    query.closesStale = !query.undecided && connection.preparer.isDirect
    connection.executeShared(query)
    query.canceller = () => this.#cancel(connection)
  }

  reject(error: unknown): void {
    const isAborted = this.signal?.aborted && error === this.signal.reason
    this.#settle.reject(isAborted ? error : withOrigin(error, this.#query))
  }

  /** On a connection with other queries in flight, a cancel request could hit one of them. */
  #cancel(connection: PostgresConnection): void {
    if (this.#isAnswered || this.isAbandoned) return
    if (this.#sql.pipelining.isolate(this)) {
      connection.cancelShared(this.#query)
      return
    }
    this.#settle.reject(cancelledError())
    this.#sql.pipelining.abandon(this)
  }

  /** postgres.js settles a query at its ReadyForQuery, and may settle it again when the connection closes. */
  #onOutcome(connection: PostgresConnection, error: unknown, value: unknown): void {
    // postgres.js has failed to send another query, and rejects the active one instead. The connection is being closed.
    if (this.#isAnswered || connection.isSendingOther(this.#query)) return
    this.#isAnswered = true
    connection.onSharedAnswer(this.#query, () => this.#finish(connection, error, value))
  }

  #finish(connection: PostgresConnection, error: unknown, value: unknown): void {
    const { preparer } = connection
    const { pipelining } = this.#sql
    if (error === undefined) this.#rememberTypes()
    const resends = !connection.lost && !this.isAbandoned && preparer.retryUnprepared(error, this.#query)
    if (resends) connection.health.forgive()
    else preparer.onOutcome(error, this.#query)
    // postgres.js cannot close a prepared statement.
    const isStale = this.#query.closesStale === true && classifyStatementFailure(error) === 'stale'
    const isUnusable = isStale || preparer.hasLostStatements
    const broken = isUnusable ? new Error('prepared statements of the connection are stale or lost') : undefined
    pipelining.finish(this, error !== undefined, broken)
    if (this.isAbandoned) return
    if (resends) pipelining.run(new PipelinedQuery(this.#sql, this.#request, this.#query, this.signal, this.#settle))
    else if (error === undefined) this.#settle.resolve(value)
    else this.#settle.reject(error)
  }
}

/** The error with which postgres.js rejects a query that was cancelled before it was sent. */
function cancelledError(): Error {
  const code = '57014'
  return Object.assign(new Error(`${code}: canceling statement due to user request`), { code })
}
