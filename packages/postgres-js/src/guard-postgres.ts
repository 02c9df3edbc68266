import type { SharedPool } from '@poolguard/core'
import { sharePool } from '@poolguard/core/adapter'
import type postgres from 'postgres'
import { type GuardedOptions, readOptions } from './guarded-options.ts'
import { makeGuardedSql } from './sql/guarded-sql.ts'
import type { GuardedSql, NoTypes } from './sql/guarded-sql-api.ts'

/** The types of a `sql` with custom types, as postgres.js defines them. */
type TypesOf<T extends Record<string, postgres.PostgresType>> =
  Record<string, postgres.PostgresType> extends T
    ? NoTypes
    : {
        // biome-ignore lint/suspicious/noExplicitAny: the same definition as in postgres.js.
        [type in keyof T]: T[type] extends { serialize: (value: infer R) => any; parse: (raw: any) => infer R }
          ? R
          : never
      }

/**
 * Creates a postgres.js `sql` whose queries run on the connections of a guarded pool. Connects when the first query runs. With a
 * `name`, the pool is shared in the process: if your module is loaded again, the call returns the existing one; see `sharePool`.
 *
 * @throws {ConnectionStringError} for a bad URL, `InvalidOptionError` for an invalid option,
 * {@link UnsupportedPostgresError} if this version of postgres.js lacks required internals.
 * @example
 * const sql = guardPostgres(process.env.DATABASE_URL, { instances: 6 })
 * const users = await sql`select * from users where id = ${42}`
 */
export function guardPostgres<T extends Record<string, postgres.PostgresType> = NoTypes>(
  url: string | undefined,
  options?: GuardedOptions<T>,
): GuardedSql<TypesOf<T>>
export function guardPostgres<T extends Record<string, postgres.PostgresType> = NoTypes>(
  options?: GuardedOptions<T>,
): GuardedSql<TypesOf<T>>
export function guardPostgres(...given: [unknown?, unknown?]): unknown {
  const [first, second] = given
  const isOptions = given.length === 0 || (typeof first === 'object' && first !== null)
  // An unset environment variable arrives as `undefined`, which readOptions rejects with an explanation.
  const options = isOptions ? (first ?? {}) : { ...(second ?? {}), url: first }
  return sharedGuardedSql(options as GuardedOptions).pool
}

/**
 * Returns the process's guarded `sql` with this name, or creates it. All adapters create their `sql` with this function; see
 * {@link sharePool}.
 *
 * @throws {InvalidOptionError} for an invalid option; `ConnectionStringError` for a bad URL.
 */
export function sharedGuardedSql(options: GuardedOptions): SharedPool<GuardedSql> {
  return sharePool<GuardedSql>({
    kind: 'postgres-js',
    name: options.name,
    options,
    make: () => makeGuardedSql(readOptions(options)),
    isOpen: (sql) => !sql.closed,
    close: (sql) => sql.end(),
  })
}
