import { databaseOf, type PoolSnapshot, snapshotPoolsOf } from '../observe/index.ts'

/** Databases that somebody was warned of already. */
const warned = new Set<string>()

/**
 * What to say where a pool that nobody has named leads to the same database as another one of this process: it brings its
 * own connections, and is seldom meant. Said once for each database.
 *
 * @param poolsOf the pools that are open already and lead to a database.
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
    `another pool of this process, "${other.name}", leads to the same database: each brings its own connections, ` +
    `${other.stats.max} + ${pool.stats.max} at most. Share one pool; or, if this module was loaded again (hot reload), ` +
    'give it a name: adapters, guardPool and guardPostgres keep one pool per name.'
  )
}
