import {
  asyncContextIsCheap,
  effectiveSignal,
  type Lease,
  type PoolGuard,
  withDeadlockDetection,
} from '@poolguard/core/adapter'
import type { ReservedSql, Sql, TransactionSql } from 'postgres'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import { textOf } from '../queries/statement-text.ts'
import type { ReserveOptions } from './guarded-sql-api.ts'
import { reserveOn } from './reserve.ts'
import type { QueryCheck } from './run-query.ts'
import { transactOn } from './transaction.ts'

type Begin = (...args: [unknown, unknown?]) => Promise<unknown>

/** Creates `begin`. Runs each transaction with deadlock detection if that is cheap on this version of Node. */
export function makeBegin(guard: PoolGuard<PostgresConnection>, check: QueryCheck): Begin {
  const begin: Begin = async (...args) => {
    const [options, body] = args[1] ? args : ['', args[0]]
    const lease = await acquireUntilAborted(guard, effectiveSignal())
    const checkAbort = checkWithAbort(lease, check)
    try {
      return await transactOn(lease, String(options), body as (sql: TransactionSql) => unknown, checkAbort, (query) =>
        guard.mistakes.lateQueries.report(lease, query),
      )
    } finally {
      lease.resource.callerAbort.end()
      lease.release()
    }
  }
  return asyncContextIsCheap ? (...args) => withDeadlockDetection(() => begin(...args)) : begin
}

/** Creates `reserve`, whose queries are created by the facade. */
export function makeReserve(
  guard: PoolGuard<PostgresConnection>,
  facade: Sql,
  check: QueryCheck,
): (options?: ReserveOptions) => Promise<ReservedSql> {
  return async (options = {}) => {
    const lease = await acquireUntilAborted(guard, effectiveSignal(options.signal), options)
    return reserveOn(lease, facade, checkWithAbort(lease, check), (query) =>
      guard.mistakes.lateQueries.report(lease, query),
    )
  }
}

/** While the lease lasts, the connection's running statement is cancelled when the signal is aborted. */
async function acquireUntilAborted(
  guard: PoolGuard<PostgresConnection>,
  signal: AbortSignal | undefined,
  { lane, on }: ReserveOptions = {},
): Promise<Lease<PostgresConnection>> {
  const lease = await guard.acquire(signal || lane !== undefined ? { signal, lane } : undefined, { on })
  if (!signal) return lease
  if (signal.aborted) {
    lease.release()
    throw signal.reason
  }
  // A statement that does not end is left to the release: the caller still has the connection.
  lease.resource.callerAbort.watch(signal, () => {})
  return lease
}

/** Also rejects the statements that the caller sends after its signal was aborted. */
function checkWithAbort({ resource: { callerAbort } }: Lease<PostgresConnection>, check: QueryCheck): QueryCheck {
  return (query) => (callerAbort.rejects(textOf(query)) ? (callerAbort.reason as Error) : check(query))
}
