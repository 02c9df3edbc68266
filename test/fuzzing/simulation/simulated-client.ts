import type { ServerSession } from '../../../packages/core/src/fleet/testing/simulated-server.ts'

/** A driver's connection. */
export interface SimulatedClient {
  readonly session: ServerSession
  readonly pid: number
  /** `cut`: gone without a message, as after a NAT timeout. */
  state: 'alive' | 'lost' | 'cut' | 'closed'
  /** Releases the lock of the fleets, if the client holds it. */
  unlock: (() => void) | undefined
  /** Tells the pool that the connection is lost. */
  readonly lost: (error?: unknown) => void
}
