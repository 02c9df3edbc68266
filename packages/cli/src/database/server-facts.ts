import type { ConnectFailure, Topology } from '@poolguard/core'
import type { Capacity, DatabaseLoad, UsageRow } from '@poolguard/core/postgres'
import type { ConnectHelp } from '../connect-errors/explain-connect-error.ts'

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
  readonly usage: readonly UsageRow[]
  readonly load: DatabaseLoad | undefined
  /** `idle_in_transaction_session_timeout`; 0 if there is none. */
  readonly idleInTransactionTimeoutMillis: number
  /** Whether another role has its own timeout in this database (ALTER ROLE). */
  readonly boundsOtherRoles: boolean
  /** Whether the role can see the state of other roles' sessions. */
  readonly seesAll: boolean
  readonly applications: readonly ApplicationSessions[]
}

/** The sessions of one application; states that the role cannot see are not counted. */
export interface ApplicationSessions {
  readonly application: string
  readonly role: string
  readonly sessions: number
  /** Idle for more than ten minutes. */
  readonly longIdle: number
  /** Idle in a transaction for more than ten seconds. */
  readonly idleInTransaction: number
  readonly longestIdleInTransactionSeconds: number
}

/** Why the database could not be read. */
export interface Unreached {
  readonly failure: ConnectFailure
  /** Without a full stop. */
  readonly message: string
  /** Undefined if the cause is unknown. */
  readonly help?: ConnectHelp | undefined
}
