import { InvalidOptionError } from '@poolguard/core'
import type { GuardedPoolConfig } from '@poolguard/pg'
import type { PoolguardModuleOptions } from './module-options.ts'

/** A key of `pools`; undefined is the only pool of an app that has one. */
export type PoolKey = string | undefined

/** The keys of the pools that Nest is told of: undefined stands for one pool without a key. */
export type PoolNames = readonly string[] | undefined

/**
 * What each pool is to be.
 *
 * @throws {InvalidOptionError} where one pool's options and `pools` are both given, or `pools` are none; and for a pool that is
 * to share a database which is not named.
 */
export function poolConfigs({
  pools,
  health: _ofAll,
  ...single
}: PoolguardModuleOptions): ReadonlyMap<PoolKey, GuardedPoolConfig> {
  const given = Object.keys(single)
  if (pools === undefined) requireAddress(single)
  if (pools === undefined) return new Map(given.length > 0 ? [[undefined, single]] : [])
  if (typeof pools !== 'object' || pools === null || Array.isArray(pools)) {
    throw new InvalidOptionError('pools', pools, 'the options of each pool by its key, as { orders: { url } }')
  }
  if (given.length === 0) return new Map(Object.entries(pools).map(([key, config]) => [key, named(key, config)]))
  throw new InvalidOptionError('pools', Object.keys(pools), `no value beside the options of one pool (${given})`)
}

export function poolNames(configs: ReadonlyMap<PoolKey, unknown>): PoolNames {
  return configs.has(undefined) ? undefined : [...configs.keys()].filter((key) => key !== undefined)
}

/**
 * Nest hears of the pools before the factory describes them.
 *
 * @throws {InvalidOptionError} where they are not the same.
 */
export function requireNames(configs: ReadonlyMap<PoolKey, unknown>, told: PoolNames): void {
  const described = poolNames(configs)
  if (JSON.stringify(described?.toSorted()) === JSON.stringify(told?.toSorted())) return
  const wanted = described ? `[${described.map((name) => `'${name}'`).join(', ')}]` : 'no value'
  throw new InvalidOptionError('poolNames', told, `${wanted}: the pools that the factory describes`)
}

/** Given beside `guardDataSource` or `PrismaPg`, `fleet` is meant for the pool that these make. */
function requireAddress(config: GuardedPoolConfig): void {
  const { connectionString, host, user, database, fleet, instances } = config
  const { PGHOST, PGUSER, PGDATABASE } = process.env
  if ('url' in config || (connectionString ?? host ?? user ?? database ?? PGHOST ?? PGUSER ?? PGDATABASE)) return
  const wanted =
    'no value without a url. The pool of an ORM is told where it is made: by guardDataSource, PrismaPg or drizzle'
  if (fleet !== undefined) throw new InvalidOptionError('fleet', fleet, wanted)
  if (instances !== undefined) throw new InvalidOptionError('instances', instances, wanted)
}

/** As a pool's own name the key keeps it over hot reloads, and tells it apart in metrics. */
function named(key: string, config: GuardedPoolConfig): GuardedPoolConfig {
  if (typeof config === 'object' && config !== null) return { name: key, ...config }
  throw new InvalidOptionError(`pools.${key}`, config, 'the options of a pool')
}
