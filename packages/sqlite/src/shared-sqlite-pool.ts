import type { SharedPool } from '@poolguard/core'
import { sharePool } from '@poolguard/core/adapter'
import type { SqliteOptions } from './sqlite-options.ts'
import { SqlitePool } from './sqlite-pool.ts'

/**
 * Returns a SqlitePool that all reloads of a module share by its name. See {@link sharePool}.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function sharedSqlitePool(options: SqliteOptions): SharedPool<SqlitePool> {
  return sharePool({
    kind: 'sqlite',
    name: options?.name,
    options,
    make: () => new SqlitePool(options),
    isOpen: (pool) => !pool.closed,
    close: (pool) => pool.close(),
  })
}
