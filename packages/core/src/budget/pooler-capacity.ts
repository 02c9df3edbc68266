import {
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSetting,
  type PoolMode,
  pgBouncerPoolMode,
  pgBouncerSettingAsNumber,
} from '../topology/index.ts'

/** The limits of a pooler, in clients and in server connections. */
export interface PoolerCapacity {
  readonly mode: PoolMode
  /** `max_client_conn`. */
  readonly maxClients: number
  /** Connected clients of other databases and users. */
  readonly otherClients: number
  /** Server connections for this database and user: `pool_size`, or `default_pool_size`. */
  readonly poolSize: number
  /** Additional server connections while clients wait. */
  readonly reservePoolSize: number
  /** `max_db_connections`; null if there is no limit. */
  readonly maxDbConnections: number | null
  /** `max_user_connections`; null if there is no limit. */
  readonly maxUserConnections: number | null
}

/** Answers of the console, as read by `readPgBouncerConfig` and the functions like it. */
export interface PoolerAnswers {
  readonly config: ReadonlyMap<string, PgBouncerSetting>
  readonly databases: readonly PgBouncerDatabase[]
  readonly pools: readonly PgBouncerPool[]
}

/**
 * Reads a pooler's capacity for one database and user from the answers of PgBouncer's console. The console does not show
 * limits of single users (section `[users]`), so they are not included.
 *
 * @returns undefined if PgBouncer does not list the database, such as one that its `*` entry opens on demand.
 * @throws {InvalidAnswerError} for an invalid setting.
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

/** The maximum of server connections that the pooler opens for this database and user. */
export function poolerServers(pooler: PoolerCapacity): number {
  const { poolSize, reservePoolSize, maxDbConnections, maxUserConnections } = pooler
  return Math.min(poolSize + reservePoolSize, maxDbConnections ?? Infinity, maxUserConnections ?? Infinity)
}

/** Whether clients share server connections: in transaction and statement mode. */
export function sharesServers({ mode }: PoolerCapacity): boolean {
  return mode !== 'session'
}
