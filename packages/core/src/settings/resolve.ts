import type { Budget } from '../budget/index.ts'
import type { FleetShare } from '../fleet/index.ts'
import { omitUndefined } from '../omit-undefined.ts'
import { type KnownPooler, pipelineObstacle } from '../pipelining/index.ts'
import { divideAmongLanes, type LaneQuota, type PoolSettings } from '../pool/index.ts'
import type { Topology } from '../topology/index.ts'
import { assumedTopology } from './assumed-topology.ts'
import { limitByCores } from './cores-limit.ts'
import { defaultsFor, MAX_DISCOVERED, PRESETS, type SettingsOptions } from './options.ts'
import type { PlannedBudget } from './planned-budget.ts'
import { validateOptions } from './validate-options.ts'

/** What a pool has found out about its limits. Topology and budget are absent until the pool has discovered the server. */
export interface KnownLimits extends KnownPooler {
  readonly topology?: Topology | undefined
  /** Planned from the capacity of the database, for a pool with `instances`. */
  readonly planned?: PlannedBudget | undefined
  /** Why the capacity that the database reported is invalid. */
  readonly capacityProblem?: string | undefined
  /** The share of this instance of a fleet; absent until it has joined. */
  readonly share?: FleetShare | undefined
  /** Why this instance cannot see the other instances, so that the fleet shares nothing; absent while it can. */
  readonly fleetUnavailable?: string | undefined
}

/** What a driver cannot do. */
export interface DriverLimits {
  /** Why the driver cannot send statements behind others; absent if it can. */
  readonly pipelineUnsupported?: string | undefined
}

/** The settings that follow from the options alone. */
export interface OwnSettings extends DriverLimits {
  readonly options: SettingsOptions
  readonly values: PoolSettings
  readonly reasons: Readonly<Record<keyof PoolSettings, string>>
}

/** The settings in effect, and the reason for each value. */
export interface ResolvedSettings {
  readonly values: PoolSettings
  readonly reasons: Readonly<Record<keyof PoolSettings, string>>
  /** The connections of each lane; empty in a pool without lanes. */
  readonly lanes: readonly LaneQuota[]
  /** The plan that `max` comes from; null if there is none. */
  readonly budget: Budget | null
  /** Options that the pool could not apply as given, one sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Resolves a pool's settings: the user's values take precedence over discovered limits, and those over the defaults. A
 * `max` from the user is an upper bound: the plan for `instances` may lower it.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function resolveSettings({
  options,
  pipelineUnsupported,
  ...limits
}: KnownLimits & DriverLimits & { readonly options: SettingsOptions }): ResolvedSettings {
  return limitSettings(ownSettings(options, { pipelineUnsupported }), limits)
}

/** @throws {InvalidOptionError} names the option and the value. */
export function ownSettings(options: SettingsOptions, { pipelineUnsupported }: DriverLimits = {}): OwnSettings {
  validateOptions(options)
  // The pool's engine follows the limit that the fleet finds.
  const given = omitUndefined({ ...options.pool, ...(options.fleet?.adaptive && { limit: 'adaptive' as const }) })
  const values = { ...defaultsFor(options.preset), ...given }
  const reasons = Object.fromEntries(
    Object.keys(values).map((name) => [name, name in given ? 'given' : defaultReason(name, options)]),
  ) as Record<keyof PoolSettings, string>
  if (options.fleet?.adaptive) reasons.limit = 'fleet.adaptive'
  return { options, values, reasons, pipelineUnsupported }
}

/** The settings that remain within the limits. */
export function limitSettings(own: OwnSettings, limits: KnownLimits = {}): ResolvedSettings {
  const topology = assumedTopology(own.options) ?? limits.topology
  const max = limitByCores(resolveMax(own, { ...limits, topology }), own, limits.share)
  const min = Math.min(own.values.min, max.value)
  const minReason = min < own.values.min ? `given as ${own.values.min}, lowered to max` : own.reasons.min
  const pipeline = resolvePipeline(own, topology, limits)
  return {
    values: { ...own.values, max: max.value, min, pipeline: pipeline.value },
    reasons: { ...own.reasons, max: max.reason, min: minReason, pipeline: pipeline.reason },
    lanes: own.options.lanes ? divideAmongLanes(own.options.lanes, max.value) : [],
    budget: max.budget,
    warnings: max.warnings,
  }
}

/** Statements share connections only where that is proven to work. */
function resolvePipeline(
  { values: { pipeline: wanted }, reasons: { pipeline: reason }, pipelineUnsupported }: OwnSettings,
  topology: Topology | undefined,
  known: KnownPooler,
): { readonly value: PoolSettings['pipeline']; readonly reason: string } {
  if (wanted === 'off') return { value: wanted, reason }
  const obstacle = pipelineUnsupported ?? (topology && pipelineObstacle(topology, known))
  if (obstacle !== undefined) return { value: 'off', reason: `${reason} as '${wanted}', but ${obstacle}` }
  return topology
    ? { value: wanted, reason }
    : { value: 'off', reason: `${reason} as '${wanted}', once the pool has detected the server` }
}

interface Max {
  readonly value: number
  readonly reason: string
  readonly budget: Budget | null
  readonly warnings: readonly string[]
}

function resolveMax({ options, values, reasons }: OwnSettings, limits: KnownLimits): Max {
  const { instances, fleet, pool } = options
  const { topology, planned, capacityProblem, share, fleetUnavailable } = limits
  const own: Max = { value: values.max, reason: reasons.max, budget: null, warnings: [] }
  if (fleet) return { ...own, ...shareOf(fleet.app, { topology, share, fleetUnavailable }, own) }
  if (instances === undefined) return own
  if (topology?.kind === 'pooler' && topology.pooler.mode !== 'session') {
    return {
      ...own,
      reason: `${own.reason}; the pooler limits the server's connections, so instances do not divide them`,
    }
  }
  if (!planned && topology) {
    const reason = `1 of ${instances} instances: ${capacityProblem ?? 'the role cannot read the limits of the database'}`
    const remedy = capacityProblem
      ? 'Check which server answers at this address, or set pool.max and remove instances.'
      : 'Or set pool.max and remove instances.'
    const unreadable = capacityProblem ? '' : ' (grant it SELECT on pg_roles, pg_database and pg_stat_activity)'
    const warning = `${reason}${unreadable}. ${remedy}`
    return { ...own, value: 1, reason, warnings: [warning] }
  }
  if (!planned) {
    return { ...own, value: 1, reason: `1 of ${instances} instances, until the pool has connected to the database` }
  }
  if ('problem' in planned) {
    return { ...own, value: 1, reason: 'the minimum, because the plan does not fit', warnings: [planned.problem] }
  }
  const { budget } = planned
  const plan = budget.steps.join('; ')
  if (own.reason !== 'default' && own.value <= budget.maxPerInstance) {
    return { ...own, budget, reason: `${own.reason}, within the plan (${plan})` }
  }
  const ceiling = Math.max(MAX_DISCOVERED, pool?.min ?? 0)
  if (own.reason === 'default' && budget.maxPerInstance > ceiling) {
    const reason = `${ceiling}, the limit of a pool without pool.max; planned: ${plan}`
    return { ...own, budget, value: ceiling, reason }
  }
  return { ...own, budget, value: budget.maxPerInstance, reason: `planned: ${plan}` }
}

/** The share of a fleet; the given or default max while the instance cannot see the other instances. */
function shareOf(
  app: string,
  { topology, share, fleetUnavailable }: Pick<KnownLimits, 'topology' | 'share' | 'fleetUnavailable'>,
  own: Max,
): Partial<Max> {
  const why = topology?.kind === 'unknown' ? 'the pool could not detect the server or pooler' : fleetUnavailable
  if (why !== undefined) {
    return {
      reason: `${own.reason}; ${why}, so fleet "${app}" does not share connections`,
      warnings: [
        `fleet "${app}" does not share connections: ${why}. Each instance may open up to ${own.value} (${own.reason}).`,
      ],
    }
  }
  if (!share) return { value: 1, reason: `1 until the pool has joined fleet "${app}"` }
  const ceiling = own.reason === 'given' ? `, at most the ${own.value} given` : ''
  const tooMany = `fleet "${app}" has more instances than there are connections to share. Run fewer instances, or put a PgBouncer that admits more clients in front of the server.`
  return {
    value: share.maxConnections,
    reason: `share of fleet "${app}"${ceiling}: ${share.steps.join('; ')}`,
    warnings: share.instances > share.sharedConnections ? [tooMany] : [],
  }
}

function defaultReason(name: string, { preset }: SettingsOptions): string {
  return preset !== undefined && name in PRESETS[preset] ? `preset ${preset}` : 'default'
}

/**
 * The settings in effect and the reason for each, one line each, for people. With `NODE_DEBUG=poolguard`, every pool prints
 * them after it has discovered its database.
 *
 * @example
 * console.log(describeSettings(pool.settings))
 * // max                      2          planned: max_connections 20 - 3 reserved = 17; ...
 * // acquireTimeoutMillis     10000      default
 */
export function describeSettings({ values: settings, reasons, lanes, warnings }: ResolvedSettings): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name.padEnd(24)} ${String(value).padEnd(10)} ${reasons[name as keyof typeof settings]}`,
  )
  const ofLanes = lanes.map(({ name, max, reserve, priority, reason }) => {
    const quota = `at most ${max}, ${reserve} reserved, priority ${priority}`
    return `${`lanes.${name}`.padEnd(24)} ${quota}  ${reason}`
  })
  return [...lines, ...ofLanes, ...warnings.map((warning) => `! ${warning}`)].join('\n')
}
