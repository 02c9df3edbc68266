import type { CredentialSource, GuardedConnections, PoolGuard } from '@poolguard/core/adapter'
import { ConnectionFactory } from '../connection/connection-factory.ts'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import { PostgresJsDriver } from '../connection/postgres-js-driver.ts'
import type { ParsedOptions } from '../internals.ts'
import type { QueryCheck } from './run-query.ts'
import { SharedQueries } from './shared-queries.ts'

/** The parts of a `sql` that its connections need. */
export interface DriverParts {
  readonly guard: PoolGuard<PostgresConnection>
  readonly shared: ParsedOptions
  readonly fetchTypes: boolean
  readonly credentials: CredentialSource | undefined
  readonly check: QueryCheck
}

/** The half of a `sql` that works on connections. */
export interface ConnectedHalf {
  readonly driver: PostgresJsDriver
  readonly queries: SharedQueries
}

/** Creates the half of a `sql` that works on connections. This module and everything that it imports is loaded with the pool's first connection. */
export function makeConnectedHalf(
  { guard, shared, fetchTypes, credentials, check }: DriverParts,
  connections: GuardedConnections<PostgresConnection>,
): ConnectedHalf {
  const factory = new ConnectionFactory({
    ...{ shared, fetchTypes, credentials, insight: connections.recorder, statements: connections.statements },
    applicationName: () => guard.applicationName,
    prepares: () => shared.prepare,
    inspect: (connection) => connections.inspect(connection),
    onReported: (connection) => connections.onReported(connection),
    isDirect: () => guard.topology?.kind === 'direct',
    leftInTransaction: () => guard.mistakes.leftInTransaction(),
    warn: (message) => guard.warn(message),
  })
  return {
    driver: new PostgresJsDriver(factory, credentials?.mayChange ?? false),
    queries: new SharedQueries({ pipelining: connections.pipelining, check, shared, types: new WeakMap() }),
  }
}
