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

/** invalid_authorization_specification and invalid_password. */
const WRONG_PASSWORD_CODES: readonly unknown[] = ['28000', '28P01']

/** pg, as a guard needs it. */
export class PgDriver implements GuardedDriver<PgConnection> {
  readonly factory: ConnectionFactory
  readonly classify: (error: unknown) => ConnectFailure

  /** @param asksAgain the password is a function, which may have a better answer next time: tokens expire, secrets are rotated. */
  constructor(factory: ConnectionFactory, asksAgain: boolean) {
    this.factory = factory
    this.classify = (error) => {
      const wrongPassword = WRONG_PASSWORD_CODES.includes((error as { code?: unknown } | undefined)?.code)
      return asksAgain && wrongPassword ? 'unavailable' : classifyConnectFailure(error)
    }
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
