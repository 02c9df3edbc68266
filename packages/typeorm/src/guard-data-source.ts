import { InvalidOptionError } from '@poolguard/core'
import { registerOwnCode, rejectForeignOptions } from '@poolguard/core/adapter'
import { type GuardedPool, validateConfig } from '@poolguard/pg'
import type { DataSource } from 'typeorm'
// TypeORM's own way to pg: another copy of it would have other defaults, and other parsers of types.
import { PlatformTools } from 'typeorm/platform/PlatformTools.js'
import { adoptDataSource } from './adopt-data-source.ts'
import { poolClassFor } from './held-pools.ts'
import type { GuardOptions } from './pool-configs.ts'
import { poolConfigs } from './pool-configs.ts'
import { postgresDriverOf } from './postgres-driver.ts'
import { type PostgresOptions, requirePostgres, urlOf, withPlainUrl } from './postgres-options.ts'

registerOwnCode(new Error(), 'typeorm')

type CacheOptions = Exclude<NonNullable<PostgresOptions['cache']>, boolean>

/**
 * TypeORM's options, with its pools guarded: where the DataSource is made, only this is put around them.
 *
 * TypeORM's own options keep their meaning; poolguard's stand over them. Pools are opened by `initialize()`, and
 * drained by `destroy()`.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant, and for other databases than PostgreSQL;
 * `ConnectionStringError` for a bad URL. Nothing is connected yet.
 * @example
 * import { guardDataSource } from '@poolguard/typeorm'
 *
 * export const dataSource = new DataSource(
 *   guardDataSource({ type: 'postgres', url: process.env.DATABASE_URL, entities: [Order] }, { instances: 6 }),
 * )
 */
export function guardDataSource<T extends PostgresOptions>(options: T, guard: GuardOptions = {}): T {
  requirePostgres(options)
  refuseGuarded(options)
  rejectForeignOptions(options, 'the second argument, as in guardDataSource(options, { fleet })')
  if ('url' in guard)
    throw new InvalidOptionError('url', guard.url, "no value here: it stands among TypeORM's own options")
  const { replication } = options
  const schema = options.schema ?? urlOf(replication?.master ?? options)?.parameter('schema')
  const { configs, warnings } = poolConfigs(options, guard)
  for (const config of configs) validateConfig(config)
  for (const message of warnings) warn(message, guard)
  const guarded: PostgresOptions = {
    ...withPlainUrls(options),
    ...(schema !== undefined && { schema }),
    driver: guardedPg(options),
    cache: cacheThatMeets(options.cache, (dataSource) => adoptDataSource(dataSource, guard)),
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

/** On the driver, which goes along when options are spread; another copy of this package knows it, too. */
const GUARDED: unique symbol = Symbol.for('poolguard.typeorm.guarded')

function refuseGuarded({ driver }: PostgresOptions): void {
  if (!driver?.[GUARDED]) return
  throw new InvalidOptionError(
    'driver',
    'the one that guardDataSource has set',
    'the options before they were guarded: call guardDataSource once, and give what it returns to every new DataSource',
  )
}

function guardedPg({ driver }: PostgresOptions): object {
  const pg = driver ?? PlatformTools.load('pg')
  if (typeof pg.Pool !== 'function')
    throw new InvalidOptionError('driver', driver, 'the module pg, or one with its Pool')
  return Object.defineProperty({ ...pg, Pool: poolClassFor(pg) }, GUARDED, { value: true })
}

/**
 * A cache's `provider` is the one place where TypeORM lets options see the DataSource that is made of them. Where there
 * is to be no cache it makes none; else the one that TypeORM would have made.
 */
function cacheThatMeets(given: PostgresOptions['cache'], meet: (dataSource: DataSource) => void): CacheOptions {
  const provider = (dataSource: DataSource) => {
    meet(dataSource)
    return given ? makeCache(dataSource, given) : undefined
  }
  return { ...(typeof given === 'object' && given), provider: provider as NonNullable<CacheOptions['provider']> }
}

/** `setOptions` is TypeORM's own way of making a cache; what it leaves behind in the options is taken back. */
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
 * The pools of a DataSource that is initialised: the master's, then those of the replicas in their order.
 *
 * @throws {InvalidOptionError} where it is not initialised, or not guarded.
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
    'an initialised DataSource that was made with guardDataSource',
  )
}
