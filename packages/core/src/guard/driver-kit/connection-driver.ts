import type { SessionHealth } from '../../postgres-errors/index.ts'
import type { ProbeSession } from '../../topology/index.ts'
import type { AwaitingConnection } from '../guarded-driver.ts'
import { DriverProbeSession, type ProbedConnection } from './probe-session.ts'

/** A connection that has what every {@link ConnectionDriver} reads. */
export interface DriverConnection extends ProbedConnection, AwaitingConnection {
  readonly health: SessionHealth
  /** Whether a transaction is open on it. */
  readonly inTransaction: boolean
}

/** The members of a `GuardedDriver` that are the same for every driver. */
export abstract class ConnectionDriver<C extends DriverConnection> {
  probe(connection: C): ProbeSession {
    return new DriverProbeSession(connection)
  }

  parameterOf({ parameters }: C, name: string): string | undefined {
    return parameters.get(name)
  }

  healthOf({ health }: C): SessionHealth {
    return health
  }

  async queryValue(connection: C, text: string): Promise<string | null | undefined> {
    return (await connection.askRow(text))?.[0]
  }

  awaiting(connection: C): AwaitingConnection {
    return connection
  }

  isInTransaction({ inTransaction }: C): boolean {
    return inTransaction
  }
}
