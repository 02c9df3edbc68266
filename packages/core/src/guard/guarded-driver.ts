import type { ConnectFailure, Lease, ResourceFactory } from '../pool/index.ts'
import type { ProbeSession } from '../topology/index.ts'

/** What a {@link PoolGuard} needs of a driver. */
export interface GuardedDriver<C> {
  readonly factory: ResourceFactory<C>
  /** Default: {@link classifyConnectFailure}. */
  readonly classify?: (error: unknown) => ConnectFailure
  /**
   * Where a connection leads to: host, port, database and user, and nothing secret. Verdicts are remembered by it; undefined
   * where that does not tell, as with a stream that somebody else has opened.
   */
  peerOf(connection: C): string | undefined
  /** A leased connection, as the detection of poolers sees it. */
  probe(lease: Lease<C>): ProbeSession
  /**
   * Runs a text of one statement or several, and answers the first value of the last one's first row, as text; undefined
   * where that has no row.
   */
  ask(connection: C, text: string): Promise<string | null | undefined>
}
