import type { PoolguardOptions, PoolSettings } from '@poolguard/core'
import { omitUndefined, resolveSettings } from '@poolguard/core/adapter'
import { type ConnectionString, readPoolParameters } from '@poolguard/core/postgres'
import type { GuardedPoolConfig } from '@poolguard/pg'
import { type Credentials, credentialsOf, type PostgresOptions, urlOf } from './postgres-options.ts'

/**
 * What poolguard can be told beside TypeORM's own options, over which it stands. Where to connect to stays TypeORM's.
 */
export interface GuardOptions extends Omit<PoolguardOptions, 'url'>, Pick<GuardedPoolConfig, 'resetOnRelease'> {
  /**
   * Whether the pools are told which callers are inside a transaction, so that they can report a deadlock: the
   * DataSource used where the transaction's own EntityManager should be, on the last connection. Default: from Node 24
   * on; below, it makes every await of the process dearer.
   */
  readonly detectDeadlocks?: boolean
}

/** What a pool is made of: TypeORM's own options as it translates them, and poolguard's over them. */
interface PoolPlan {
  readonly config: GuardedPoolConfig
  readonly url: ConnectionString | undefined
  /** One of several: what its URL says is its own part of what all of them may have. */
  readonly replicated: boolean
}

/** A pool's part of what all pools to the same server may have together. */
interface Share {
  readonly pools: number
  /** The first pools get what is left over. */
  readonly index: number
}

/** What TypeORM's pools are made of, the master's first. */
export interface PoolConfigs {
  readonly configs: readonly GuardedPoolConfig[]
  /** What cannot be had as asked for, a sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Works out the configuration of each of TypeORM's pools.
 *
 * TypeORM gives every replica a pool as large as the master's. Pools that lead to different servers keep that: each
 * server has a capacity of its own. Pools that lead to the same host and port, be it a server or a pooler, share one
 * budget: `max` is divided, and each counts as an instance of its own.
 *
 * @throws {InvalidOptionError}, `ConnectionStringError`
 */
export function poolConfigs(options: PostgresOptions, guard: GuardOptions): PoolConfigs {
  const plans = credentialsOf(options).map((credentials) => planOf(options, credentials, guard))
  if (!options.replication) return { configs: plans.map(({ config }) => config), warnings: [] }
  const name = guard.name ?? databaseOf(plans[0])
  const servers = plans.map(serverOf)
  const shares = servers.map((server, position) => ({
    pools: servers.filter((other) => other === server).length,
    index: servers.slice(0, position).filter((other) => other === server).length,
  }))
  const configs = plans.map((plan, position) => ({
    ...plan.config,
    name: position === 0 ? name : `${name}-replica-${position}`,
    ...dividedBy(shares[position], plan, guard),
  }))
  return { configs, warnings: plans.flatMap((plan, position) => tooFew(shares[position], plan, guard)) }
}

function planOf(options: PostgresOptions, credentials: Credentials, guard: GuardOptions): PoolPlan {
  const { detectDeadlocks: _own, ...pool } = guard
  const { extra = {}, poolSize, connectTimeoutMS } = options
  const url = urlOf({ ...credentials, ...(extra.connectionString && { url: extra.connectionString }) })
  // As TypeORM has it, and so that all of it can be checked before anything is opened.
  const { host, port, username: user, password, database, ssl } = credentials
  const fields = { host, port, user, password, database, ssl, max: poolSize, connectionTimeoutMillis: connectTimeoutMS }
  const config = { ...omitUndefined(fields), ...extra, ...(url && { connectionString: url.href }), ...pool }
  return { config, url, replicated: options.replication !== undefined }
}

function dividedBy(share: Share | undefined, plan: PoolPlan, guard: GuardOptions): Partial<GuardedPoolConfig> {
  if (!share || share.pools === 1) return ownPart(plan, guard)
  const { instances, pool } = guard
  const max = maxOf(plan, guard)
  const { min } = boundsOf(plan, guard)
  return {
    ...(instances !== undefined && { instances: instances * share.pools }),
    pool: {
      ...pool,
      ...(max !== undefined && { max: partOf(max, share, 1) }),
      ...(min !== undefined && { min: partOf(min, share, 0) }),
    },
  }
}

/** The limit in a pool's URL, where the options for all pools allow more. */
function ownPart(plan: PoolPlan, guard: GuardOptions): Partial<GuardedPoolConfig> {
  const limit = plan.url && readPoolParameters(plan.url).max
  const { max, min } = boundsOf(plan, guard)
  if (limit === undefined || max !== limit) return {}
  return { pool: { ...guard.pool, max, ...(min !== undefined && { min: Math.min(min, max) }) } }
}

function partOf(total: number, { pools, index }: Share, least: number): number {
  return Math.max(least, Math.floor(total / pools) + (index < total % pools ? 1 : 0))
}

function tooFew(share: Share | undefined, plan: PoolPlan, guard: GuardOptions): string[] {
  const max = maxOf(plan, guard)
  if (!share || share.index > 0 || max === undefined || max >= share.pools) return []
  return [
    `max is ${max}, but ${share.pools} pools (master and replicas) lead to ${serverOf(plan)}; each has 1 connection`,
  ]
}

/** How many connections all pools to a server may have; undefined where only a plan or a fleet says so. */
function maxOf(plan: PoolPlan, guard: GuardOptions): number | undefined {
  const { instances, fleet, preset } = guard
  const bounds = boundsOf(plan, guard)
  if (bounds.max === undefined && (instances ?? fleet) !== undefined) return undefined
  return resolveSettings({ options: { ...(preset && { preset }), pool: bounds } }).values.max
}

/**
 * The first that says something, in the order in which the pool asks, too. In a replication, the limit in a URL holds
 * beside what is said for all pools: the smaller one counts.
 */
function boundsOf(
  { config, url, replicated }: PoolPlan,
  { pool }: GuardOptions,
): Partial<Pick<PoolSettings, 'min' | 'max'>> {
  const urlSettings = url && readPoolParameters(url)
  const ofAll = pool?.max ?? (config.max || undefined)
  const ofUrl = urlSettings?.max
  const max = replicated && ofAll !== undefined && ofUrl !== undefined ? Math.min(ofAll, ofUrl) : (ofAll ?? ofUrl)
  const min = pool?.min ?? (config.min || undefined) ?? urlSettings?.min
  return { ...(max !== undefined && { max }), ...(min !== undefined && { min }) }
}

/**
 * Loopback has several names. Any other alias of a server is not known to be one, and counts as a server of its own.
 */
function serverOf({ config, url }: PoolPlan): string {
  const address = url?.hosts[0]
  const host = (address?.host ?? config.host ?? process.env.PGHOST ?? 'localhost').toLowerCase()
  const port = address?.port ?? config.port ?? process.env.PGPORT ?? 5432
  return `${['127.0.0.1', '::1'].includes(host) ? 'localhost' : host}:${port}`
}

function databaseOf(plan: PoolPlan | undefined): string {
  return plan?.url?.database ?? plan?.config.database ?? plan?.config.user ?? 'postgres'
}
