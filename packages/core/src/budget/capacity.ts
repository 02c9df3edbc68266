import { COUNT, parseAnswer, type Range, RowReader } from '../row-reader.ts'
import { NO_OTHERS, type OtherConnections } from './usage.ts'

/** What a server can give to the role that asked, and what is taken. */
export interface Capacity {
  /** `max_connections`. */
  readonly maxConnections: number
  /** Slots kept back from this role: `superuser_reserved_connections`, and from 16 on `reserved_connections`. */
  readonly reserved: number
  /** `ALTER ROLE ... CONNECTION LIMIT`; null where there is none. */
  readonly roleLimit: number | null
  /** `ALTER DATABASE ... CONNECTION LIMIT`; null where there is none. */
  readonly databaseLimit: number | null
  /** Open right now, by anyone. Parallel workers count too: another role cannot tell them from sessions. */
  readonly used: number
  /** Of those, the ones of this role. */
  readonly usedByRole: number
  /** Of those, the ones in this database. */
  readonly usedByDatabase: number
}

/**
 * Reads a {@link Capacity} in one query that any role may run. A superuser is held by no limit but max_connections, and
 * members of `pg_use_reserved_connections` may use the reserved slots (PostgreSQL 16,
 * https://www.postgresql.org/docs/current/runtime-config-connection.html).
 */
export const CAPACITY_QUERY = `
select pg_catalog.current_setting('max_connections')::int as "maxConnections",
       case when role.rolsuper then 0 else pg_catalog.current_setting('superuser_reserved_connections')::int end
         operator(pg_catalog.+) case when role.rolsuper or reserve.usable then 0
                else coalesce(pg_catalog.current_setting('reserved_connections', true)::int, 0) end as "reserved",
       case when role.rolsuper or role.rolconnlimit operator(pg_catalog.<) 0 then null else role.rolconnlimit end as "roleLimit",
       case when role.rolsuper or database.datconnlimit operator(pg_catalog.<) 0 then null else database.datconnlimit end as "databaseLimit",
       activity.used as "used", activity.used_by_role as "usedByRole", activity.used_by_database as "usedByDatabase"
  from pg_catalog.pg_roles role,
       pg_catalog.pg_database database,
       (select coalesce(pg_catalog.bool_or(pg_catalog.pg_has_role(session_user, oid, 'usage')), false) as usable
          from pg_catalog.pg_roles where rolname operator(pg_catalog.=) 'pg_use_reserved_connections') reserve,
       (select pg_catalog.count(*)::int as used,
               pg_catalog.count(*) filter (where usename operator(pg_catalog.=) session_user)::int as used_by_role,
               pg_catalog.count(*) filter (where datname operator(pg_catalog.=) pg_catalog.current_database())::int as used_by_database
          from pg_catalog.pg_stat_activity where datname is not null) activity
 where role.rolname operator(pg_catalog.=) session_user and database.datname operator(pg_catalog.=) pg_catalog.current_database()`

/** PostgreSQL takes no larger `max_connections` (MAX_BACKENDS in src/include/storage/procnumber.h). */
const MAX_CONNECTIONS: Range = { min: 1, max: 262_143 }

/** What {@link CAPACITY_QUERY} is called in errors. */
export const CAPACITY_SOURCE = "the query for the server's limits"

/**
 * Reads a row of {@link CAPACITY_QUERY}.
 *
 * @throws {InvalidAnswerError} where a column is missing or holds what cannot be.
 */
export function readCapacity(row: RowReader): Capacity {
  const maxConnections = row.integer('maxConnections', MAX_CONNECTIONS)
  return {
    maxConnections,
    reserved: row.integer('reserved', { min: 0, max: maxConnections }),
    roleLimit: row.integerOrNull('roleLimit', COUNT),
    databaseLimit: row.integerOrNull('databaseLimit', COUNT),
    used: row.integer('used'),
    usedByRole: row.integer('usedByRole'),
    usedByDatabase: row.integer('usedByDatabase'),
  }
}

/**
 * Reads a row of {@link CAPACITY_QUERY} that comes as JSON.
 *
 * @throws {InvalidAnswerError} where it is none, or a column is missing or holds what cannot be.
 */
export function parseCapacity(text: string): Capacity {
  return readCapacity(new RowReader(CAPACITY_SOURCE, parseAnswer(CAPACITY_SOURCE, text)))
}

/**
 * The connections that this role could hold in this database beside what `others` hold, and if nobody else had any.
 * Never negative.
 */
export function usableSlots(capacity: Capacity, others: OtherConnections = NO_OTHERS): number {
  return Math.max(0, Math.min(...serverLimits(capacity, others).map(({ value, kept }) => value - kept)))
}

/** A limit of the server, and what of it is not ours. */
export interface ServerLimit {
  readonly name: string
  readonly value: number
  readonly kept: number
}

/** `max_connections`, and the limits of role and database where there are any. */
export function serverLimits(
  { maxConnections, reserved, roleLimit, databaseLimit }: Capacity,
  others: OtherConnections,
): readonly ServerLimit[] {
  const limits: ServerLimit[] = [
    { name: 'max_connections', value: maxConnections, kept: reserved + others.connections },
  ]
  if (roleLimit !== null) limits.push({ name: "the role's CONNECTION LIMIT", value: roleLimit, kept: others.ofRole })
  if (databaseLimit !== null) {
    limits.push({ name: "the database's CONNECTION LIMIT", value: databaseLimit, kept: others.ofDatabase })
  }
  return limits
}
