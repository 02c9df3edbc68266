import {
  CAPACITY_QUERY,
  type Capacity,
  type ConnectFailure,
  classifyConnectFailure,
  type GuardedDriver,
  type Lease,
  type ProbeSession,
} from '@poolguard/core'
import type { ConnectionFactory } from './connection-factory.ts'
import type { PgConnection } from './pg-connection.ts'
import { PgProbeSession } from './pg-probe-session.ts'

/** pg, as a guard needs it. */
export class PgDriver implements GuardedDriver<PgConnection> {
  readonly factory: ConnectionFactory
  readonly classify: (error: unknown) => ConnectFailure

  constructor(factory: ConnectionFactory, passwordMayChange: boolean) {
    this.factory = factory
    this.classify = (error) => classifyConnectFailure(error, { passwordMayChange })
  }

  peerOf({ client: { host, port, database, user } }: PgConnection): string {
    return `${host}:${port}/${database}?user=${user}`
  }

  probe(lease: Lease<PgConnection>): ProbeSession {
    return new PgProbeSession(lease)
  }

  async readCapacity({ client }: PgConnection): Promise<Capacity | undefined> {
    return (await client.query<Capacity & Record<string, unknown>>(CAPACITY_QUERY)).rows[0]
  }
}
