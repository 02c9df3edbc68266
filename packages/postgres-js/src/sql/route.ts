import type { ReplicaOptions } from '@poolguard/core'
import { joinPools, type PoolGuard, type Route } from '@poolguard/core/adapter'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { Query } from '../internals.ts'
import { textOf } from '../queries/statement-text.ts'

/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY_TRANSACTION = '25006'

/** The guard of a `sql`, of any copy of this package. */
export const GUARD: unique symbol = Symbol.for('poolguard.postgres-js.guard')

/**
 * Makes existing pools a primary and its replicas, for libraries that choose the pool of a read themselves: what is run on a replica's pool goes to
 * another replica, or to the primary, if that replica cannot be used or lacks the caller's writes. Statements on the primary's pool stay there.
 *
 * @throws {InvalidOptionError} for an invalid option, or a `sql` that is not guarded.
 * @example
 * const primary = guardPostgres(process.env.DATABASE_URL)
 * joinReplicas(primary, [guardPostgres(process.env.REPLICA_URL)], { maxReplicaLagMillis: 1_000 })
 */
export function joinReplicas(
  primary: object,
  replicas: readonly object[],
  options: Omit<ReplicaOptions, 'replicas' | 'routeReads'> = {},
): void {
  joinPools(primary, replicas, GUARD, options)
}

/** What decides on the server of a query. */
export function routeOf(query: Query, routing: NonNullable<PoolGuard<PostgresConnection>['routing']>): Route {
  const text = textOf(query)
  const { reject } = query
  query.reject = (error) => {
    if ((error as { code?: unknown } | undefined)?.code === READ_ONLY_TRANSACTION) routing.onReadOnly(text)
    reject(error)
  }
  return { text }
}
