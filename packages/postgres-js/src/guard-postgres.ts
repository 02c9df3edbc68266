import type { SharedPool } from '@poolguard/core'
import { sharePool } from '@poolguard/core/adapter'
import type postgres from 'postgres'
import { type GuardedOptions, readOptions } from './guarded-options.ts'
import { type GuardedSql, makeGuardedSql, type NoTypes } from './sql/guarded-sql.ts'

/** What the custom types of the options become in a `sql`, as in postgres.js. */
type TypesOf<T extends Record<string, postgres.PostgresType>> =
  Record<string, postgres.PostgresType> extends T
    ? NoTypes
    : {
        // biome-ignore lint/suspicious/noExplicitAny: as postgres.js has it.
        [type in keyof T]: T[type] extends { serialize: (value: infer R) => any; parse: (raw: any) => infer R }
          ? R
          : never
      }

/**
 * postgres.js' own `postgres`, on connections that a pool lends. Nothing is connected yet. With a `name` it is the same
 * however often the module is loaded that asks for it; see `sharePool`.
 *
 * @throws {ConnectionStringError} for a bad URL, `InvalidOptionError` for an option that cannot be meant,
 * {@link UnsupportedPostgresError} for a version of postgres.js that does not have what is needed of it.
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
  // An environment variable that is not set gets the error that says so.
  const options = isOptions ? (first ?? {}) : { ...(second ?? {}), url: first }
  return sharedGuardedSql(options as GuardedOptions).pool
}

/**
 * A guarded `sql`, the same for the same name however often the module is loaded that asks for it: what every adapter makes
 * its `sql` with. See {@link sharePool}.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; `ConnectionStringError` for a bad URL.
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
