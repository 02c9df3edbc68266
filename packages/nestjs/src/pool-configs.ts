import { InvalidOptionError } from '@poolguard/core'
import type { GuardedPoolConfig } from '@poolguard/pg'
import type { PoolguardModuleOptions } from './module-options.ts'

/** A key of `pools`; undefined for the only pool of an app. */
export type PoolKey = string | undefined

/** The keys of the pools that Nest creates providers for; undefined means one pool without a key. */
export type PoolNames = readonly string[] | undefined

/**
 * The configuration of each pool.
 *
 * @throws {InvalidOptionError} if one pool's options and `pools` are both given, if `pools` is invalid, and for `fleet` or
 * `instances` without an address.
 */
export function poolConfigs({
  pools,
  adminToken: _adminToken,
  details: _details,
  thresholds: _thresholds,
  windowMillis: _windowMillis,
  recoveryMillis: _recoveryMillis,
  ...single
}: PoolguardModuleOptions): ReadonlyMap<PoolKey, GuardedPoolConfig> {
  const given = Object.keys(single)
  if (pools === undefined) requireAddress(single)
  if (pools === undefined) return new Map(given.length > 0 ? [[undefined, single]] : [])
  if (typeof pools !== 'object' || pools === null || Array.isArray(pools)) {
    throw new InvalidOptionError('pools', pools, 'the options of each pool by key, such as { orders: { url } }')
  }
  if (given.length === 0) return new Map(Object.entries(pools).map(([key, config]) => [key, named(key, config)]))
  throw new InvalidOptionError('pools', Object.keys(pools), `no value together with the options of one pool (${given})`)
}

export function poolNames(configs: ReadonlyMap<PoolKey, unknown>): PoolNames {
  return configs.has(undefined) ? undefined : [...configs.keys()].filter((key) => key !== undefined)
}

/**
 * Compares the pools that the factory returned with `poolNames`, for which Nest has already created providers.
 *
 * @throws {InvalidOptionError} if they differ.
 */
export function requireNames(configs: ReadonlyMap<PoolKey, unknown>, declared: PoolNames): void {
  const returned = poolNames(configs)
  if (JSON.stringify(returned?.toSorted()) === JSON.stringify(declared?.toSorted())) return
  const wanted = returned ? `[${returned.map((name) => `'${name}'`).join(', ')}]` : 'no value'
  throw new InvalidOptionError('poolNames', declared, `${wanted}: the pools that the factory returns`)
}

/** Without an address, `fleet` and `instances` probably belong to the pool that `guardDataSource` or `PrismaPg` creates. */
function requireAddress(config: GuardedPoolConfig): void {
  const { connectionString, host, user, database, fleet, instances } = config
  const { PGHOST, PGUSER, PGDATABASE } = process.env
  if ('url' in config || (connectionString ?? host ?? user ?? database ?? PGHOST ?? PGUSER ?? PGDATABASE)) return
  const wanted = 'no value without a url. For the pool of an ORM, pass it to guardDataSource, PrismaPg or drizzle'
  if (fleet !== undefined) throw new InvalidOptionError('fleet', fleet, wanted)
  if (instances !== undefined) throw new InvalidOptionError('instances', instances, wanted)
}

/** Uses the key as the pool's name, so that the pool survives hot reloads and metrics can distinguish it. */
function named(key: string, config: GuardedPoolConfig): GuardedPoolConfig {
  if (typeof config === 'object' && config !== null) return { name: key, ...config }
  throw new InvalidOptionError(`pools.${key}`, config, 'the options of a pool')
}
