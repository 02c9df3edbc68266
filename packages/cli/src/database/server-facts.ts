import type { ConnectFailure, Topology } from '@poolguard/core'
import type { Capacity, DatabaseLoad, UsageRow } from '@poolguard/core/postgres'

/** What a database says of itself and of its sessions. */
export interface ServerFacts {
  readonly topology: Topology
  /** Such as `18.4`. */
  readonly version: string
  readonly role: string
  /** The role is held by no limit but max_connections. */
  readonly superuser: boolean
  readonly database: string
  /** For the role that asked. */
  readonly capacity: Capacity
  /** What roles without reserved slots can have: see `OPEN_SLOTS_QUERY`. */
  readonly openSlots: number
  readonly usage: readonly UsageRow[]
  readonly load: DatabaseLoad | undefined
  /** `idle_in_transaction_session_timeout`; 0 where there is none. */
  readonly idleInTransactionTimeoutMillis: number
  /** Whether another role has such a timeout of its own here (ALTER ROLE). */
  readonly boundsOtherRoles: boolean
  /** Whether states of other roles' sessions can be seen. */
  readonly seesAll: boolean
  readonly applications: readonly ApplicationSessions[]
}

/** The sessions of one application, as far as their states can be seen. */
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

/** Why there are no facts. */
export interface Unreached {
  readonly failure: ConnectFailure
  readonly message: string
}
