import type { PoolCounts, PoolSettings, PoolSnapshot, ResolvedSettings } from '@poolguard/core'
import type postgres from 'postgres'
import type { GuardedOptions } from './guarded-options.ts'
import { holdGuardedSql } from './hold-guarded-sql.ts'

// biome-ignore lint/complexity/noBannedTypes: as postgres.js has it, or its Sql would be another one.
type NoTypes = {}

/** A postgres.js `sql` that keeps to what the database can give, and says so. */
export interface GuardedSql<TTypes extends Record<string, unknown> = NoTypes> extends postgres.Sql<TTypes> {
  /**
   * Resolves when the database has been looked at: what stands in between, what it can give, and so the pool's bounds.
   * Nothing needs to wait for it. The pool looks again by itself after the server was away; `again` asks for it now.
   *
   * @throws what connecting throws.
   */
  ready(options?: { readonly again?: boolean }): Promise<PoolSnapshot>
  /** The few figures of the snapshot that cost nothing to read. */
  readonly counts: PoolCounts
  /** What the pool looks like now. */
  snapshot(): PoolSnapshot
  /** The settings that hold, each with its reason. */
  readonly resolved: ResolvedSettings
  /** Changes how many connections may be open, whatever is measured later. Waiters are served at once, surplus goes when nobody uses it. */
  resize(bounds: Partial<Pick<PoolSettings, 'min' | 'max'>>): void
  /** Closes the connections that nobody uses now. Others are opened when they are needed. */
  close(): Promise<void>
  /** Whether it lends no more: `end()` was called, or every pool of the process was closed. */
  readonly closed: boolean
}

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
 * however often the module is loaded that asks for it; see `holdPool`.
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
  return holdGuardedSql(options as GuardedOptions).pool
}
