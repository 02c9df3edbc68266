import { databaseOf, type PoolSnapshot, snapshotPoolsOf } from '../observe/index.ts'

/** Databases that a warning has already named. */
const warned = new Set<string>()

/**
 * Returns a warning if an unnamed pool leads to the same database as another pool of this process, which is rarely intended:
 * each pool opens its own connections. Warns once per database.
 *
 * @param poolsOf returns the open pools that lead to a database.
 */
export function warnOfSecondPool(
  pool: PoolSnapshot,
  poolsOf: (database: string) => Iterable<PoolSnapshot> = snapshotPoolsOf,
): string | undefined {
  const database = databaseOf(pool.target)
  if (database === undefined || warned.has(database)) return undefined
  const [other] = poolsOf(database)
  if (!other) return undefined
  warned.add(database)
  return (
    `another pool of this process, "${other.name}", leads to the same database. Each pool opens its own connections, ` +
    `up to ${other.stats.max} + ${pool.stats.max}. Use one pool for both, or, if this module was loaded again (hot reload), ` +
    'give the pool a name: adapters, guardPool and guardPostgres keep one pool per name.'
  )
}
