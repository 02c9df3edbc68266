/**
 * One run of a PostgreSQL server, from its start to its end. Every session ends with the run to which it belongs; a crash of one of the
 * server's processes ends the sessions, but not the run.
 */
export interface ServerRun {
  /** The system identifier, which a primary shares with its standbys; empty if the role may not read it. */
  readonly cluster: string
  /** When it started, to the microsecond, in UTC. */
  readonly startedAt: string
  readonly isPrimary: boolean
}

const CLUSTER = '(select system_identifier from pg_catalog.pg_control_system())'

/**
 * An SQL expression for the run that executes it, as text.
 *
 * @param withCluster false if the role may not call pg_control_system(), which every role may by default.
 */
export function runExpression({ withCluster }: { readonly withCluster: boolean }): string {
  return `pg_catalog.concat(${withCluster ? CLUSTER : `''`}, ' ', pg_catalog.pg_is_in_recovery(), ' ',
  pg_catalog.to_char(pg_catalog.timezone('utc', pg_catalog.pg_postmaster_start_time()), 'YYYY-MM-DD HH24:MI:SS.US'))`
}

/** @returns undefined for a text that is not the expression's. */
export function readRun(text: string | null | undefined): ServerRun | undefined {
  const [, cluster, standby, startedAt] = /^(\d*) ([tf]) (\d{4,}-[\d :.-]+)$/.exec(text ?? '') ?? []
  if (cluster === undefined || startedAt === undefined) return undefined
  return { cluster, startedAt, isPrimary: standby === 'f' }
}

export function isSameRun(one: ServerRun, other: ServerRun): boolean {
  return one.cluster === other.cluster && one.startedAt === other.startedAt
}

/**
 * Whether the run is over, because another one has taken its place: a cluster has one primary. It may be a restart of the same server, or a
 * standby that was promoted. Nothing follows for a standby, because a cluster may have several.
 *
 * @param run as it was noted earlier.
 * @param now a run that answers now.
 */
export function isReplaced(run: ServerRun, now: ServerRun): boolean {
  return run.cluster !== '' && run.cluster === now.cluster && run.isPrimary && now.isPrimary && !isSameRun(run, now)
}
