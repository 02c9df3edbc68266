import type { ConnectFailure, Topology } from '@poolguard/core'
import type { Capacity, DatabaseLoad } from '@poolguard/core/postgres'
import type { ConnectHelp } from '../connect-errors/explain-connect-error.ts'
import type { Session } from '../sessions/session.ts'
import type { LocalHolder } from './find-local-processes.ts'
import type { PreparedTransaction, ReplicationSlot } from './read-held-resources.ts'
import type { ConnectionLimit } from './read-limits.ts'

/** A database's version, limits and sessions. */
export interface ServerFacts {
  readonly topology: Topology
  /** For example `18.4`. */
  readonly version: string
  readonly role: string
  /** Only max_connections limits the role. */
  readonly superuser: boolean
  readonly database: string
  /** For the connected role. */
  readonly capacity: Capacity
  /** Connections that roles without reserved slots can have: see `OPEN_SLOTS_QUERY`. */
  readonly openSlots: number
  /** Without doctor's own. */
  readonly sessions: readonly Session[]
  /** Sessions that `sessions` does not list, because there are too many. */
  readonly unlisted: number
  /** The server's time of the sessions, in seconds since 1970. */
  readonly readAtSeconds: number
  /** All limits of roles and databases. */
  readonly limits: readonly ConnectionLimit[]
  readonly preparedTransactions: readonly PreparedTransaction[]
  readonly inactiveSlots: readonly ReplicationSlot[]
  readonly load: DatabaseLoad | undefined
  /** `idle_in_transaction_session_timeout`; 0 if there is none. */
  readonly idleInTransactionTimeoutMillis: number
  /** Whether another role has its own timeout in this database (ALTER ROLE). */
  readonly boundsOtherRoles: boolean
  /** Whether the role can see the state of other roles' sessions. */
  readonly seesAll: boolean
}

/** Why the database could not be read. */
export interface Unreached {
  readonly failure: ConnectFailure
  /** Without a full stop. */
  readonly message: string
  /** Undefined if the cause is unknown. */
  readonly help?: ConnectHelp | undefined
  /** If the server is full: the processes of this machine that hold connections to it. */
  readonly localHolders?: readonly LocalHolder[]
}
