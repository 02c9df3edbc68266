import { InvalidOptionError, registerOwnCode, rejectForeignOptions } from '@poolguard/core/adapter'
import { type GuardedPool, validateConfig } from '@poolguard/pg'
import type { DataSource } from 'typeorm'
// Loads TypeORM's copy of pg: another copy would have other defaults and other type parsers.
import { PlatformTools } from 'typeorm/platform/PlatformTools.js'
import { adoptDataSource } from './adopt-data-source.ts'
import { poolClassFor } from './data-source-pools.ts'
import { type GuardOptions, poolConfigs } from './pool-configs.ts'
import { postgresDriverOf } from './postgres-driver.ts'
import { type PostgresOptions, requirePostgres, urlOf, withPlainUrl } from './postgres-options.ts'

registerOwnCode(new Error(), 'typeorm')

type CacheOptions = Exclude<NonNullable<PostgresOptions['cache']>, boolean>

/**
 * Returns TypeORM's options with guarded pools. Wrap the options of `new DataSource` with it.
 *
 * TypeORM's own options keep their meaning; poolguard's options override them. `initialize()` opens the pools, and `destroy()`
 * drains them; this function opens no connection.
 *
 * @throws {InvalidOptionError} for an invalid option, and for databases other than PostgreSQL; `ConnectionStringError` for a bad
 * URL.
 * @example
 * import { guardDataSource } from '@poolguard/typeorm'
 *
 * export const dataSource = new DataSource(
 *   guardDataSource({ type: 'postgres', url: process.env.DATABASE_URL, entities: [Order] }, { instances: 6 }),
 * )
 */
export function guardDataSource<T extends PostgresOptions>(options: T, guard: GuardOptions = {}): T {
  requirePostgres(options)
  rejectGuarded(options)
  rejectForeignOptions(options, 'the second argument, as in guardDataSource(options, { fleet })')
  if ('url' in guard) throw new InvalidOptionError('url', guard.url, "no value here: set it among TypeORM's options")
  const { replication } = options
  const schema = options.schema ?? urlOf(replication?.master ?? options)?.parameter('schema')
  const { configs, warnings } = poolConfigs(options, guard)
  for (const config of configs) validateConfig(config)
  for (const message of warnings) warn(message, guard)
  const guarded: PostgresOptions = {
    ...withPlainUrls(options),
    ...(schema !== undefined && { schema }),
    driver: guardedPg(options),
    cache: interceptCache(options.cache, (dataSource) => adoptDataSource(dataSource, guard)),
  }
  return guarded as T
}

function warn(message: string, { onEvent }: GuardOptions): void {
  if (onEvent) onEvent({ type: 'warning', message })
  else process.emitWarning(message, 'PoolguardWarning')
}

function withPlainUrls(options: PostgresOptions): PostgresOptions {
  const { replication } = options
  if (!replication) return withPlainUrl(options)
  const { master, slaves } = replication
  return { ...options, replication: { ...replication, master: withPlainUrl(master), slaves: slaves.map(withPlainUrl) } }
}

/** Marks the driver: the mark survives spreading the options, and another copy of this package recognises it. */
const GUARDED: unique symbol = Symbol.for('poolguard.typeorm.guarded')

function rejectGuarded({ driver }: PostgresOptions): void {
  if (!driver?.[GUARDED]) return
  throw new InvalidOptionError(
    'driver',
    'the one that guardDataSource set',
    'unguarded options: call guardDataSource once, and pass its result to every new DataSource',
  )
}

function guardedPg({ driver }: PostgresOptions): object {
  const pg = driver ?? PlatformTools.load('pg')
  if (typeof pg.Pool !== 'function')
    throw new InvalidOptionError('driver', driver, 'the module pg, or a module with its Pool')
  return Object.defineProperty({ ...pg, Pool: poolClassFor(pg) }, GUARDED, { value: true })
}

/**
 * Returns a `cache` option that hands the DataSource to a callback: a cache's `provider` is the only option that TypeORM calls with
 * the DataSource. The provider creates the cache that the given option asks for, or none.
 */
function interceptCache(given: PostgresOptions['cache'], onDataSource: (dataSource: DataSource) => void): CacheOptions {
  const provider = (dataSource: DataSource) => {
    onDataSource(dataSource)
    return given ? makeCache(dataSource, given) : undefined
  }
  return { ...(typeof given === 'object' && given), provider: provider as NonNullable<CacheOptions['provider']> }
}

/** Creates a cache with TypeORM's `setOptions`, then restores the options that it changes. */
function makeCache(
  dataSource: DataSource,
  given: NonNullable<PostgresOptions['cache']>,
): DataSource['queryResultCache'] {
  const { options } = dataSource
  const { cache } = options
  const made = dataSource.setOptions({ cache: given }).queryResultCache
  Object.assign(options, { cache })
  return made
}

/**
 * The pools of an initialised DataSource: the master's pool, then the replicas' pools in order.
 *
 * @throws {InvalidOptionError} if the DataSource is not initialised or not guarded.
 * @example
 * const [pool] = guardedPools(dataSource)
 * pool.snapshot().stats.waiting
 */
export function guardedPools(dataSource: DataSource): [master: GuardedPool, ...replicas: GuardedPool[]] {
  const { master, slaves = [] } = postgresDriverOf(dataSource)
  if (typeof master?.snapshot === 'function') return [master, ...slaves]
  throw new InvalidOptionError(
    'dataSource',
    dataSource.isInitialized ? 'initialised, but not guarded' : 'not initialised',
    'an initialised DataSource with options from guardDataSource',
  )
}
