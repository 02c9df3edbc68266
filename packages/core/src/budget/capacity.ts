import { COUNT, parseAnswer, type Range, RowReader } from '../row-reader.ts'
import { NO_OTHERS, type OtherConnections } from './usage.ts'

/** The connection limits of a server for the current role, and the connections in use. */
export interface Capacity {
  /** `max_connections`. */
  readonly maxConnections: number
  /** Slots reserved for other roles: `superuser_reserved_connections`, and from PostgreSQL 16 on `reserved_connections`. */
  readonly reserved: number
  /** `ALTER ROLE ... CONNECTION LIMIT`; null if there is none. */
  readonly roleLimit: number | null
  /** `ALTER DATABASE ... CONNECTION LIMIT`; null if there is none. */
  readonly databaseLimit: number | null
  /** Connections open now, of all roles. Includes parallel workers: another role cannot distinguish them from sessions. */
  readonly used: number
  /** The part of `used` that belongs to this role. */
  readonly usedByRole: number
  /** The part of `used` that is in this database. */
  readonly usedByDatabase: number
}

/**
 * Reads a {@link Capacity} in one query that any role may run. For a superuser only max_connections counts, and
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

/** PostgreSQL's maximum for `max_connections` (MAX_BACKENDS in src/include/storage/procnumber.h). */
const MAX_CONNECTIONS: Range = { min: 1, max: 262_143 }

/** Names {@link CAPACITY_QUERY} in errors. */
export const CAPACITY_SOURCE = "the query for the server's limits"

/**
 * Reads a row of {@link CAPACITY_QUERY}.
 *
 * @throws {InvalidAnswerError} if a column is missing or its value is invalid.
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
 * Reads a row of {@link CAPACITY_QUERY} in JSON.
 *
 * @throws {InvalidAnswerError} if the text is not JSON, a column is missing, or its value is invalid.
 */
export function parseCapacity(text: string): Capacity {
  return readCapacity(new RowReader(CAPACITY_SOURCE, parseAnswer(CAPACITY_SOURCE, text)))
}

/**
 * The connections that this role can hold in this database in addition to the connections of `others`. Never negative.
 */
export function usableSlots(capacity: Capacity, others: OtherConnections = NO_OTHERS): number {
  return Math.max(0, Math.min(...serverLimits(capacity, others).map(({ value, kept }) => value - kept)))
}

/** A limit of the server, and the part of it that this app cannot use. */
export interface ServerLimit {
  readonly name: string
  readonly value: number
  readonly kept: number
}

/** `max_connections`, and the limits of role and database if they exist. */
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
