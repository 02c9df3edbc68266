import type { PoolguardOptions, PoolSettings, ReplicaOptions } from '@poolguard/core'
import { InvalidOptionError, omitUndefined, readPoolParameters, resolveSettings } from '@poolguard/core/adapter'
import type { ConnectionString } from '@poolguard/core/postgres'
import type { GuardedPoolConfig } from '@poolguard/pg'
import { type Credentials, credentialsOf, type PostgresOptions, urlOf } from './postgres-options.ts'

/** poolguard's options, which override TypeORM's. The address stays among TypeORM's options. */
export interface GuardOptions
  extends Omit<PoolguardOptions, 'url' | 'routeReads' | 'replicas'>,
    Pick<GuardedPoolConfig, 'resetOnRelease'> {
  /**
   * Track which callers are inside a transaction, so that the pools can report a deadlock: the DataSource used instead of the
   * transaction's EntityManager when no other connection is left. Default: from Node 24 on; below Node 24 it makes every `await` of
   * the process 2.4 times as expensive.
   */
  readonly detectDeadlocks?: boolean
  /**
   * Options of the pool of each entry of `replication.slaves`, in the same order. The other options here apply to all pools, unless an entry sets
   * them.
   */
  readonly replicas?: readonly ReplicaPoolOptions[] | undefined
}

/** The options of the pool of one replica. */
export type ReplicaPoolOptions = Omit<GuardOptions, keyof ReplicaOptions | 'detectDeadlocks'>

/** The options of one pool: TypeORM's options as TypeORM translates them, overridden by poolguard's. */
interface PoolPlan {
  readonly config: GuardedPoolConfig
  readonly url: ConnectionString | undefined
  readonly guard: ReplicaPoolOptions
  /** Part of a replication: a limit in its URL applies to this pool only. */
  readonly replicated: boolean
}

/** A pool's share of the limit of all pools to the same server. */
interface Share {
  readonly pools: number
  /** Position among these pools; the first ones get the remainder. */
  readonly index: number
}

/** The configurations of TypeORM's pools, the master's first. */
export interface PoolConfigs {
  readonly configs: readonly GuardedPoolConfig[]
  /** One sentence for each option that cannot be applied as given. */
  readonly warnings: readonly string[]
}

/**
 * Works out the configuration of each of TypeORM's pools.
 *
 * TypeORM gives every replica a pool as large as the master's. Pools to different servers keep that size, because each server has its
 * own capacity. Pools to the same host and port, whether a server or a pooler, share one limit: `max` is divided between them, and each
 * pool counts as an instance.
 *
 * @throws {InvalidOptionError}, `ConnectionStringError`
 */
export function poolConfigs(options: PostgresOptions, guard: GuardOptions): PoolConfigs {
  requireReplicas(options, guard)
  const { detectDeadlocks: _scopes, replicas = [], ...ofAll } = guard
  const { maxReplicaLagMillis: _lag, readYourWritesMillis: _wait, withoutReplica: _without, ...common } = ofAll
  const plans = credentialsOf(options).map((credentials, index) => {
    const { pool, ...own } = replicas[index - 1] ?? {}
    const both = { ...common, ...own, ...((pool ?? common.pool) && { pool: { ...common.pool, ...pool } }) }
    return planOf(options, credentials, both)
  })
  if (!options.replication) return { configs: plans.map(({ config }) => config), warnings: [] }
  const name = guard.name ?? databaseOf(plans[0])
  const servers = plans.map(serverOf)
  const shares = servers.map((server, position) => ({
    pools: servers.filter((other) => other === server).length,
    index: servers.slice(0, position).filter((other) => other === server).length,
  }))
  const configs = plans.map((plan, position) => ({
    ...plan.config,
    name: position === 0 ? name : (replicas[position - 1]?.name ?? `${name}-replica-${position}`),
    ...dividedBy(shares[position], plan),
  }))
  return { configs, warnings: plans.flatMap((plan, position) => warnOfTooFew(shares[position], plan)) }
}

/** @throws {InvalidOptionError} for options of replicas that the DataSource does not have. */
function requireReplicas({ replication }: PostgresOptions, { replicas }: GuardOptions): void {
  if (replicas === undefined) return
  const slaves = replication?.slaves.length ?? 0
  const isList = Array.isArray(replicas) && replicas.every((each) => typeof each === 'object' && each !== null)
  if (isList && replicas.length <= slaves) return
  const wanted = `a list with options of a pool for each of the ${slaves} entries of replication.slaves`
  throw new InvalidOptionError('replicas', isList ? `a list of ${replicas.length}` : replicas, wanted)
}

function planOf(options: PostgresOptions, credentials: Credentials, guard: ReplicaPoolOptions): PoolPlan {
  const { extra = {}, poolSize, connectTimeoutMS } = options
  const url = urlOf({ ...credentials, ...(extra.connectionString && { url: extra.connectionString }) })
  // Repeats TypeORM's translation, so that all options can be validated before a pool is opened.
  const { host, port, username: user, password, database, ssl } = credentials
  const fields = { host, port, user, password, database, ssl, max: poolSize, connectionTimeoutMillis: connectTimeoutMS }
  const config = { ...omitUndefined(fields), ...extra, ...(url && { connectionString: url.href }), ...guard }
  return { config, url, guard, replicated: options.replication !== undefined }
}

function dividedBy(share: Share | undefined, plan: PoolPlan): Partial<GuardedPoolConfig> {
  if (!share || share.pools === 1) return limitOfUrl(plan)
  const { instances, pool } = plan.guard
  const max = maxOf(plan)
  const { min } = boundsOf(plan)
  return {
    ...(instances !== undefined && { instances: instances * share.pools }),
    pool: {
      ...pool,
      ...(max !== undefined && { max: partOf(max, share, 1) }),
      ...(min !== undefined && { min: partOf(min, share, 0) }),
    },
  }
}

/** The limit in a pool's URL, if it is below the limit for all pools. */
function limitOfUrl(plan: PoolPlan): Partial<GuardedPoolConfig> {
  const limit = plan.url && readPoolParameters(plan.url).max
  const { max, min } = boundsOf(plan)
  if (limit === undefined || max !== limit) return {}
  return { pool: { ...plan.guard.pool, max, ...(min !== undefined && { min: Math.min(min, max) }) } }
}

function partOf(total: number, { pools, index }: Share, least: number): number {
  return Math.max(least, Math.floor(total / pools) + (index < total % pools ? 1 : 0))
}

function warnOfTooFew(share: Share | undefined, plan: PoolPlan): string[] {
  const max = maxOf(plan)
  if (!share || share.index > 0 || max === undefined || max >= share.pools) return []
  return [
    `max is ${max}, but ${share.pools} pools (master and replicas) connect to ${serverOf(plan)}, so each pool gets 1 connection`,
  ]
}

/** The limit of all pools to a server together; undefined if a plan or a fleet decides. */
function maxOf(plan: PoolPlan): number | undefined {
  const { instances, fleet, preset } = plan.guard
  const bounds = boundsOf(plan)
  if (bounds.max === undefined && (instances ?? fleet) !== undefined) return undefined
  return resolveSettings({ options: { ...(preset && { preset }), pool: bounds } }).values.max
}

/**
 * `min` and `max` with the pool's own precedence. In a replication, the smaller of the limit in the URL and the limit for all pools
 * applies.
 */
function boundsOf({ config, url, replicated, guard }: PoolPlan): Partial<Pick<PoolSettings, 'min' | 'max'>> {
  const { pool } = guard
  const urlSettings = url && readPoolParameters(url)
  const ofAll = pool?.max ?? (config.max || undefined)
  const ofUrl = urlSettings?.max
  const max = replicated && ofAll !== undefined && ofUrl !== undefined ? Math.min(ofAll, ofUrl) : (ofAll ?? ofUrl)
  const min = pool?.min ?? (config.min || undefined) ?? urlSettings?.min
  return { ...(max !== undefined && { max }), ...(min !== undefined && { min }) }
}

/** Treats the names of loopback as one server. Any other alias counts as a separate server. */
function serverOf({ config, url }: PoolPlan): string {
  const address = url?.hosts[0]
  const host = (address?.host || config.host || process.env.PGHOST || 'localhost').toLowerCase()
  const port = address?.port ?? config.port ?? process.env.PGPORT ?? 5432
  return `${['127.0.0.1', '::1'].includes(host) ? 'localhost' : host}:${port}`
}

function databaseOf(plan: PoolPlan | undefined): string {
  return plan?.url?.database ?? plan?.config.database ?? plan?.config.user ?? 'postgres'
}
