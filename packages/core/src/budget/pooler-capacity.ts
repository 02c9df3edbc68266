import {
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSetting,
  type PoolMode,
  pgBouncerPoolMode,
  pgBouncerSettingAsNumber,
} from '../topology/index.ts'

/** What a pooler lets through, in clients and in server connections. */
export interface PoolerCapacity {
  readonly mode: PoolMode
  /** `max_client_conn`. */
  readonly maxClients: number
  /** Clients of other databases and users that are connected now. */
  readonly otherClients: number
  /** Server connections for this database and user: `pool_size`, or `default_pool_size`. */
  readonly poolSize: number
  /** Those that come on top when clients wait. */
  readonly reservePoolSize: number
  /** `max_db_connections`; null where there is no limit. */
  readonly maxDbConnections: number | null
  /** `max_user_connections`; null where there is no limit. */
  readonly maxUserConnections: number | null
}

/** What the console answers, as read by `readPgBouncerConfig` and its kind. */
export interface PoolerAnswers {
  readonly config: ReadonlyMap<string, PgBouncerSetting>
  readonly databases: readonly PgBouncerDatabase[]
  readonly pools: readonly PgBouncerPool[]
}

/**
 * Reads a pooler's capacity for one database and user out of what PgBouncer's console answers. A limit for a single user,
 * which stands in `[users]` and in none of these answers, is not seen.
 *
 * @returns undefined where PgBouncer does not list the database, as with one that its `*` entry opens on demand.
 * @throws {InvalidAnswerError} for a setting that holds what cannot be.
 * @see https://www.pgbouncer.org/config.html
 */
export function readPoolerCapacity(
  { config, databases, pools }: PoolerAnswers,
  database: string,
  user: string,
): PoolerCapacity | undefined {
  const found = databases.find(({ name }) => name === database)
  if (!found) return undefined
  const poolUser = found.forceUser ?? user
  const others = pools.filter((pool) => pool.database !== database || pool.user !== poolUser)
  return {
    mode: pgBouncerPoolMode(config, found),
    maxClients: pgBouncerSettingAsNumber(config, 'max_client_conn') ?? 100,
    otherClients: others.reduce((sum, { clientsActive, clientsWaiting }) => sum + clientsActive + clientsWaiting, 0),
    poolSize: found.poolSize,
    reservePoolSize: found.reservePoolSize,
    maxDbConnections: found.maxConnections || null,
    maxUserConnections: pgBouncerSettingAsNumber(config, 'max_user_connections') || null,
  }
}

/** The most server connections that the pooler opens for this database and user. */
export function poolerServers(pooler: PoolerCapacity): number {
  const { poolSize, reservePoolSize, maxDbConnections, maxUserConnections } = pooler
  return Math.min(poolSize + reservePoolSize, maxDbConnections ?? Infinity, maxUserConnections ?? Infinity)
}

/** Whether its clients share server connections from one transaction to the next. */
export function sharesServers({ mode }: PoolerCapacity): boolean {
  return mode !== 'session'
}
