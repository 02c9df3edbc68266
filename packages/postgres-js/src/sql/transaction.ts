import type { Lease } from '@poolguard/core/adapter'
import type { Sql, TransactionSql } from 'postgres'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import { type Query, queryOf } from '../internals.ts'
import { bindQueries } from './bind-queries.ts'
import { type ReportLate, rejectLate } from './late-query.ts'

type Body = (sql: TransactionSql) => unknown
type Savepoint = (...args: unknown[]) => Promise<unknown>

/**
 * Runs a transaction of postgres.js on a leased connection.
 *
 * @param refuse what a query is to fail with instead of being sent.
 * @param reportLate is told of queries that are sent after its end.
 */
export async function transactOn(
  lease: Lease<PostgresConnection>,
  options: string,
  body: Body,
  refuse: (query: Query) => Error | undefined,
  reportLate: ReportLate,
): Promise<unknown> {
  const connection = lease.resource
  connection.endsTransactions = true
  const state: TransactionState = { lease, over: false, refuse, reportLate }
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
  readonly refuse: (query: Query) => Error | undefined
  readonly reportLate: ReportLate
}

/** The `sql` of a transaction or a savepoint. When that is over, or its connection is, every query of it fails. */
function bindTransaction(sql: TransactionSql, state: TransactionState): TransactionSql {
  const { handler } = queryOf(sql as unknown as Sql)
  const handle = (query: Query) => {
    const end = ended(state)
    const refusal = end ?? state.refuse(query)
    if (!refusal) return handler(query)
    // As in postgres.js, a query of a transaction that nobody waits for does not end the process.
    query.catch(() => {})
    if (end && state.over) rejectLate(query, end, state.reportLate)
    else query.reject(refusal)
  }
  const bound = bindQueries(sql as unknown as Sql, handle, { capturesStacks: () => state.over })
  const savepoint: Savepoint = (...args) => {
    const body = args.findLast((arg) => typeof arg === 'function') as Body | undefined
    const bindBody = body && ((inner: TransactionSql) => body(bindTransaction(inner, state)))
    return (sql.savepoint as unknown as Savepoint)(...args.map((arg) => (arg === body ? bindBody : arg)))
  }
  return Object.assign(bound, { savepoint, prepare: sql.prepare }) as unknown as TransactionSql
}

/** Of a connection that was lost every query fails anyway, and then with what the server said. */
function ended({ over, lease }: TransactionState): Error | undefined {
  if (lease.resource.lost || (lease.active && !over)) return undefined
  const code = 'CONNECTION_ENDED'
  const why = over
    ? 'the transaction of this query is over'
    : 'the pool has taken back the connection of this transaction'
  return Object.assign(new Error(`${code}: ${why}`), { code })
}
