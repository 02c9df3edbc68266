import { type RowReader, readRows } from '@poolguard/core/postgres'
import { messageOf } from '../output/message-of.ts'
import { withPlainTexts } from '../output/printable.ts'
import type { Session } from '../sessions/session.ts'
import { plainQuery } from '../sessions/shorten-query.ts'
import type { Pool } from './contact.ts'
import type { ReadSessionsOptions } from './read-sessions.ts'

/** Locks of one kind that a session holds or waits for. */
export interface SessionLock {
  /** Such as `relation` or `transactionid`. */
  readonly type: string
  readonly mode: string
  readonly isGranted: boolean
  /** Null if the lock is on no table or index, or on one of another database. */
  readonly relation: string | null
  readonly count: number
}

/** What a list of sessions has no room for. */
export interface SessionDetails {
  /** Null if the role may not see it, or if queries are hidden. */
  readonly query: string | null
  readonly locks: readonly SessionLock[]
}

const MAX_QUERY = 5_000
const MAX_LOCKS = 50

const QUERY_QUERY = `
select case when state is null and backend_type is null then null else pg_catalog.left(query, ${MAX_QUERY}) end as "query"
  from pg_catalog.pg_stat_activity
 where pid operator(pg_catalog.=) $1::pg_catalog.int4
   and extract(epoch from backend_start)::pg_catalog.text operator(pg_catalog.=) $2::pg_catalog.text`

/** Every role may read all locks. The names of relations are those of the connected database. */
const LOCKS_QUERY = `
select locktype as "type", mode as "mode", granted as "granted",
       schema.nspname::pg_catalog.text operator(pg_catalog.||) '.' operator(pg_catalog.||) class.relname::pg_catalog.text as "relation",
       pg_catalog.count(*)::int as "count"
  from pg_catalog.pg_locks held
  left join pg_catalog.pg_database home on home.datname operator(pg_catalog.=) pg_catalog.current_database()
  left join pg_catalog.pg_class class on class.oid operator(pg_catalog.=) held.relation and held.database operator(pg_catalog.=) home.oid
  left join pg_catalog.pg_namespace schema on schema.oid operator(pg_catalog.=) class.relnamespace
 where held.pid operator(pg_catalog.=) $1::pg_catalog.int4
 group by 1, 2, 3, 4
 order by granted, 4 nulls last, 1, 2
 limit ${MAX_LOCKS}`

/** Reads the statement and the locks of one session. Never rejects: an error is an answer too. */
export async function readSessionDetails(
  pool: Pool,
  { pid, startedAt }: Session,
  { showsQueries }: ReadSessionsOptions,
): Promise<SessionDetails | { readonly error: string }> {
  try {
    const queries = showsQueries ? (await pool.query(QUERY_QUERY, [pid, startedAt])).rows : []
    const [query = null] = readRows('the query for a statement', queries, (row) => row.textOrNull('query'))
    const locks = readRows('the query for the locks', (await pool.query(LOCKS_QUERY, [pid])).rows, readLock)
    return withPlainTexts({ query: query === null ? null : plainQuery(query), locks })
  } catch (error) {
    return { error: withPlainTexts(messageOf(error)) }
  }
}

function readLock(row: RowReader): SessionLock {
  return {
    type: row.text('type'),
    mode: row.text('mode'),
    isGranted: row.flag('granted'),
    relation: row.textOrNull('relation'),
    count: row.integer('count'),
  }
}
