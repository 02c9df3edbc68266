import {
  type ConnectFailure,
  classifyConnectFailure,
  type GuardedDriver,
  type Lease,
  type ProbeSession,
} from '@poolguard/core'
import type { ConnectionFactory } from './connection-factory.ts'
import type { GuardedPoolConfig } from './guarded-pool-config.ts'
import type { PgConnection } from './pg-connection.ts'
import { PgProbeSession } from './pg-probe-session.ts'

/** pg, as a guard needs it. */
export class PgDriver implements GuardedDriver<PgConnection> {
  readonly factory: ConnectionFactory
  readonly classify: (error: unknown) => ConnectFailure

  readonly #ownStream: boolean

  constructor(factory: ConnectionFactory, { password, stream }: Pick<GuardedPoolConfig, 'password' | 'stream'>) {
    const passwordMayChange = typeof password === 'function'
    this.factory = factory
    this.#ownStream = stream !== undefined
    this.classify = (error) => classifyConnectFailure(error, { passwordMayChange })
  }

  /** Where a stream of the app's own leads to (as with a cloud provider's connector), host and port do not tell. */
  peerOf({ client: { host, port, database, user } }: PgConnection): string | undefined {
    return this.#ownStream ? undefined : `${host}:${port}/${database}?user=${user}`
  }

  probe(lease: Lease<PgConnection>): ProbeSession {
    return new PgProbeSession(lease)
  }

  /** A text of several statements answers with an array, of which the last one counts. */
  async ask({ client }: PgConnection, text: string): Promise<string | null | undefined> {
    const results = [await client.query<[string | null]>({ text, rowMode: 'array' })].flat()
    return results.at(-1)?.rows[0]?.[0]
  }
}
