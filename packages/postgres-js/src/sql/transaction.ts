import type { Lease } from '@poolguard/core/adapter'
import type { Sql, TransactionSql } from 'postgres'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import { type Query, queryOf } from '../internals.ts'
import { bindQueries } from './bind-queries.ts'
import { type ReportLate, rejectLate } from './late-query.ts'
import type { QueryCheck } from './run-query.ts'

type Body = (sql: TransactionSql) => unknown
type Savepoint = (...args: unknown[]) => Promise<unknown>

/**
 * Runs a postgres.js transaction on an acquired connection.
 *
 * @param check returns the error to reject a query with, or undefined if the query may be sent.
 * @param reportLate is called for queries that are sent after the end of the transaction.
 */
export async function transactOn(
  lease: Lease<PostgresConnection>,
  options: string,
  body: Body,
  check: QueryCheck,
  reportLate: ReportLate,
): Promise<unknown> {
  const connection = lease.resource
  connection.endsTransactions = true
  const state: TransactionState = { lease, over: false, check, reportLate }
  try {
    return await connection.sql.begin(options, (sql) => body(bindTransaction(sql, state)))
  } catch (error) {
    throw connection.explain(error)
  } finally {
    state.over = true
  }
}

interface TransactionState {
  readonly lease: Lease<PostgresConnection>
  over: boolean
  readonly check: QueryCheck
  readonly reportLate: ReportLate
}

/** Returns the `sql` of a transaction or savepoint. After its end, or if its connection was taken back, it rejects every query. */
function bindTransaction(sql: TransactionSql, state: TransactionState): TransactionSql {
  const { handler } = queryOf(sql as unknown as Sql)
  const handle = (query: Query) => {
    const endedError = errorIfEnded(state)
    const rejection = endedError ?? state.check(query)
    if (!rejection) return handler(query)
    // As in postgres.js, a rejected query of a transaction that is not awaited does not end the process.
    query.catch(() => {})
    if (endedError && state.over) rejectLate(query, endedError, state.reportLate)
    else query.reject(rejection)
  }
  const bound = bindQueries(sql as unknown as Sql, handle, {
    capturesStacks: (query) => state.over || state.lease.resource.wantsStackOf(query),
  })
  const savepoint: Savepoint = (...args) => {
    const body = args.findLast((arg) => typeof arg === 'function') as Body | undefined
    const bindBody = body && ((inner: TransactionSql) => body(bindTransaction(inner, state)))
    return (sql.savepoint as unknown as Savepoint)(...args.map((arg) => (arg === body ? bindBody : arg)))
  }
  return Object.assign(bound, { savepoint, prepare: sql.prepare }) as unknown as TransactionSql
}

/** Undefined for a lost connection, too: its queries fail with the server's own error. */
function errorIfEnded({ over, lease }: TransactionState): Error | undefined {
  if (lease.resource.lost || (lease.active && !over)) return undefined
  const code = 'CONNECTION_ENDED'
  const why = over
    ? 'the transaction of this query has ended. Use sql, or begin another transaction'
    : 'the pool has taken back the connection of this transaction'
  return Object.assign(new Error(`${code}: ${why}`), { code })
}
