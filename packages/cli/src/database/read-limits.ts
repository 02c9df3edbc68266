import { type RowReader, readRows } from '@poolguard/core/postgres'
import type { Pool } from './contact.ts'

/** A CONNECTION LIMIT of a role or a database. */
export interface ConnectionLimit {
  readonly kind: 'role' | 'database'
  readonly name: string
  readonly limit: number
}

/** Any role may read all limits. Superusers have none. */
const LIMITS_QUERY = `
select kind as "kind", name as "name", connections as "limit"
  from (select 'role' as kind, rolname as name, rolconnlimit as connections
          from pg_catalog.pg_roles where rolcanlogin and not rolsuper
        union all
        select 'database', datname, datconnlimit from pg_catalog.pg_database where datallowconn) limits
 where connections operator(pg_catalog.>=) 0
 order by kind, name
 limit 10000`

/** @throws {InvalidAnswerError} if the server's answer is invalid. */
export async function readLimits(pool: Pool): Promise<readonly ConnectionLimit[]> {
  return readRows('the query for the limits', (await pool.query(LIMITS_QUERY)).rows, readLimit)
}

function readLimit(row: RowReader): ConnectionLimit {
  return {
    kind: row.oneOf('kind', ['role', 'database']),
    name: row.text('name'),
    limit: row.integer('limit'),
  }
}
