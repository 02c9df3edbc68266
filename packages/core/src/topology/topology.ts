/** How a pooler shares its server connections among clients. */
export type PoolMode = 'session' | 'transaction' | 'statement'

/** Whether named prepared statements work as the client expects. */
export type PreparedStatements = 'safe' | 'unsafe' | 'unknown'

interface Measured {
  /** PostgreSQL's version as reported at login; null if unknown. */
  readonly server: { readonly version: string | null }
  readonly preparedStatements: PreparedStatements
  /** The reasons for the verdict, in the order of their observation. */
  readonly evidence: readonly string[]
}

/** PostgreSQL itself, or a pooler that keeps one server connection per client and looks just like it. */
export interface DirectTopology extends Measured {
  readonly kind: 'direct'
}

export interface PoolerTopology extends Measured {
  readonly kind: 'pooler'
  readonly pooler: {
    readonly name: 'PgBouncer' | 'unknown'
    readonly version?: string
    readonly mode: PoolMode
    /** False if the mode is likely but not proven: nothing unsafe may depend on it. */
    readonly proven: boolean
    /** `max_prepared_statements`, if the pooler reports it: the number of named statements it keeps on each server connection. */
    readonly maxPreparedStatements?: number
  }
}

/** The detection failed: treat it as a pooler in transaction mode. */
export interface UnknownTopology extends Measured {
  readonly kind: 'unknown'
}

/** The server of a connection string: PostgreSQL itself, a pooler, or unknown. */
export type Topology = DirectTopology | PoolerTopology | UnknownTopology

/**
 * Whether a client keeps its server session from one transaction to the next, so that `SET`, `LISTEN`, temporary tables
 * and session-level locks work. False for an unproven session mode.
 */
export function keepsSession(topology: Topology): boolean {
  return (
    topology.kind === 'direct' ||
    (topology.kind === 'pooler' && topology.pooler.mode === 'session' && topology.pooler.proven)
  )
}

/** The topology in one line, for logs and reports. */
export function describeTopology(topology: Topology): string {
  if (topology.kind === 'direct') return 'PostgreSQL, directly'
  if (topology.kind === 'unknown') return 'unknown; treated as a pooler in transaction mode'
  const { name, version, mode, proven } = topology.pooler
  const pooler = name === 'unknown' ? 'a pooler' : [name, version].filter(Boolean).join(' ')
  return `${pooler} in ${mode} mode${proven ? '' : ' (not proven)'}, prepared statements ${topology.preparedStatements}`
}
