import type { SharedPool } from '@poolguard/core'
import { sharePool } from '@poolguard/core/adapter'
import type { SqliteOptions } from './sqlite-options.ts'
import { SqlitePool } from './sqlite-pool.ts'

/**
 * A SqlitePool, the same for the same name however often the module is loaded that asks for it. See {@link sharePool}.
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
