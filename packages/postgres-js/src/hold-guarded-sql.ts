import { type HeldPool, holdPool } from '@poolguard/core/adapter'
import type { GuardedSql } from './guard-postgres.ts'
import { type GuardedOptions, readOptions } from './guarded-options.ts'
import { makeSql } from './sql/guarded-sql.ts'

/**
 * A guarded `sql`, the same for the same name however often the module is loaded that asks for it: what every adapter makes
 * its `sql` with. See {@link holdPool}.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; `ConnectionStringError` for a bad URL.
 */
export function holdGuardedSql(options: GuardedOptions): HeldPool<GuardedSql> {
  return holdPool<GuardedSql>({
    kind: 'postgres-js',
    name: options.name,
    options,
    make: () => makeSql(readOptions(options)),
    isOpen: (sql) => !sql.closed,
    close: (sql) => sql.end(),
  })
}
