import type { GuardedConnections, PoolGuard } from '@poolguard/core/adapter'
import { ClientFactory } from '../connection/client-factory.ts'
import { ConnectionFactory } from '../connection/connection-factory.ts'
import type { PgConnection } from '../connection/pg-connection.ts'
import { PgDriver } from '../connection/pg-driver.ts'
import type { GuardedPoolConfig, PoolSpec } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'
import { type Checkouts, TRANSACTION_ADVICE } from './checkouts.ts'
import type { PoolEvents } from './pool-events.ts'
import { SharedQueries } from './shared-queries.ts'

/** The parts of a pool that its connections need. */
export interface DriverParts {
  readonly guard: PoolGuard<PgConnection>
  readonly spec: PoolSpec
  readonly events: PoolEvents
  readonly checkouts: Checkouts
  readonly makeClient: (config: GuardedPoolConfig) => WireClient
}

/** Creates the driver of a pool's connections. This module and everything that it imports is loaded with the pool's first connection. */
export function makeDriver(parts: DriverParts, connections: GuardedConnections<PgConnection>): PgDriver {
  const { guard, spec, events, checkouts, makeClient } = parts
  const { sessions, statements, pipelining, recorder } = connections
  const { client: config, passfile, secrets } = spec
  const warn = (message: string) => guard.warn(message)
  const applicationName = () => guard.applicationName
  const clients = new ClientFactory({ config, passfile, secrets, makeClient, applicationName, warn })
  const factory = new ConnectionFactory({
    ...{ config, clients, sessions, statements, events, warn },
    inspect: (connection) => connections.inspect(connection),
    onReported: (connection) => connections.onReported(connection),
    leftInTransaction: (lastText) => {
      guard.mistakes.transactions.onRelease(lastText, TRANSACTION_ADVICE)
      guard.mistakes.leftInTransaction()
    },
    insight: recorder,
  })
  checkouts.shared = new SharedQueries({
    pipelining,
    onOpen: (connection) => checkouts.open(connection),
    // Listeners of acquire and release expect a checkout for each query.
    isOff: () => events.hasCheckoutListeners,
  })
  return new PgDriver(factory, clients, config)
}
