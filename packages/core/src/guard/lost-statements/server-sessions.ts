import { readRun, type ServerRun } from './server-run.ts'

/** How long the server must have been idle. Until then, the answer may be on its way. */
const IDLE_SECONDS = 4

/** What a server answers about sessions of this role. */
export interface ServerSessions {
  readonly run: ServerRun
  /** By pid. */
  readonly sessions: ReadonlyMap<number, Session>
}

export interface Session {
  readonly ageMillis: number
  /** It has been waiting for a statement for some seconds. */
  readonly isIdle: boolean
}

// Every name carries its schema, because a role may have functions and operators of its own.
const IS_IDLE = `(state operator(pg_catalog.=) any ('{idle,idle in transaction,idle in transaction (aborted)}'::pg_catalog.text[])
  and state_change operator(pg_catalog.<) (pg_catalog.clock_timestamp() operator(pg_catalog.-) '${IDLE_SECONDS} seconds'::pg_catalog.interval))`

/** The sessions of this role. */
function sessions(pids: readonly number[]): string {
  return `from pg_catalog.pg_stat_activity
where usename operator(pg_catalog.=) session_user
  and pid operator(pg_catalog.=) any ('{${pids.join(',')}}'::pg_catalog.int8[])`
}

/**
 * Selects the server's run, a semicolon, and `pid|age|idle` of each session, with the age in seconds.
 *
 * @param run the expression for the run.
 */
export function sessionsQuery(pids: readonly number[], run: string): string {
  return `select pg_catalog.concat(${run}, ';',
  pg_catalog.string_agg(pg_catalog.concat(pid, '|',
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() operator(pg_catalog.-) backend_start), '|', ${IS_IDLE}), ','))
${sessions(pids)}`
}

export function endSessionsQuery(pids: readonly number[]): string {
  return `select pg_catalog.count(pg_catalog.pg_terminate_backend(pid)) ${sessions(pids)} and ${IS_IDLE}`
}

/** @returns undefined for an answer that is not the query's. */
export function readSessions(answer: string | null | undefined): ServerSessions | undefined {
  const [about, list = ''] = (answer ?? '').split(';')
  const run = readRun(about)
  if (!run) return undefined
  const entries = list.split(',').map((each): [number, Session] => {
    const [pid, seconds, isIdle] = each.split('|')
    return [Number(pid), { ageMillis: Number(seconds ?? Number.NaN) * 1_000, isIdle: isIdle === 't' }]
  })
  return { run, sessions: new Map(entries) }
}
