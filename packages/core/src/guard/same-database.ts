import { parseConnectionString, settleTarget } from '../connection-string/index.ts'
import type { PoolSnapshot } from '../observe/index.ts'

/** Databases that somebody was warned of already. */
const warned = new Set<string>()

/**
 * What to say where a pool that nobody has named leads to the same database as another one of this process: it brings its
 * own connections, and is seldom meant. Said once for each database.
 *
 * @param others the pools that are open already.
 */
export function warnOfSecondPool(pool: PoolSnapshot, others: readonly PoolSnapshot[]): string | undefined {
  const database = databaseOf(pool.target)
  const other = others.find(({ target }) => databaseOf(target) === database)
  if (database === undefined || !other || warned.has(database)) return undefined
  warned.add(database)
  return (
    `another pool of this process, "${other.name}", leads to the same database: each brings its own connections, ` +
    `${other.stats.max} + ${pool.stats.max} at most. Share one pool; or, if this module was loaded again (hot reload), ` +
    'give it a name: adapters, guardPool and guardPostgres keep one pool per name.'
  )
}

/** Undefined for a target that is no connection string: another kind of database. */
function databaseOf(target: string): string | undefined {
  try {
    const { hosts, database } = settleTarget(parseConnectionString(target))
    return JSON.stringify([hosts.map(({ host, port = 5432 }) => [host, port]), database])
  } catch {
    return undefined
  }
}
