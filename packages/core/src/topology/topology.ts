/** How a pooler shares its server connections among clients. */
export type PoolMode = 'session' | 'transaction' | 'statement'

/** Whether named prepared statements work as the client expects. */
export type PreparedStatements = 'safe' | 'unsafe' | 'unknown'

interface Measured {
  /** PostgreSQL's version as it was reported at login; null where nobody has asked yet. */
  readonly server: { readonly version: string | null }
  readonly preparedStatements: PreparedStatements
  /** What was seen, in the order it was seen: the reasons for the verdict. */
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
    /** False where nothing spoke against the mode but nothing proved it: then nothing unsafe may rely on it. */
    readonly proven: boolean
    /** `max_prepared_statements`, where the pooler tells it: how many named statements it keeps on each server connection. */
    readonly maxPreparedStatements?: number
  }
}

/** Nothing could be measured: treat it as a pooler in transaction mode. */
export interface UnknownTopology extends Measured {
  readonly kind: 'unknown'
}

/** What is at the other end of a connection string. */
export type Topology = DirectTopology | PoolerTopology | UnknownTopology

/**
 * Whether a client keeps its server session from one transaction to the next, so that `SET`, `LISTEN`, temporary tables
 * and session locks may be relied on. An unproven session mode counts as none.
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
