import { type Budget, BudgetError, type Capacity, planBudget } from '../budget/index.ts'
import { parseConnectionString } from '../connection-string/index.ts'
import { requireAppName, type Share } from '../fleet/index.ts'
import { InvalidOptionError, requireDuration, requireInteger, requireOneOf } from '../invalid-option-error.ts'
import { omitUndefined } from '../omit-undefined.ts'
import { type PoolSettings, validatePoolSettings } from '../pool/index.ts'
import type { Topology } from '../topology/index.ts'
import { assumedTopology } from './assumed-topology.ts'
import type { FleetOptions, SettingsOptions } from './options.ts'
import { defaultsFor, MAX_DISCOVERED, PRESETS } from './options.ts'

/** What is known when settings are resolved. Topology and capacity are absent until the database has been looked at. */
export interface ResolveInput {
  readonly options: SettingsOptions
  readonly topology?: Topology | undefined
  readonly capacity?: Capacity | undefined
  /** Why the capacity that the database has told is not believed. */
  readonly capacityProblem?: string | undefined
  /** What a fleet's instance may have; absent until it has joined. */
  readonly share?: Share | undefined
  /** Why a fleet's instance cannot see the others, so that nothing is shared out; absent as long as it may. */
  readonly unseen?: string | undefined
}

/** The settings that hold, and why each has its value. */
export interface ResolvedSettings {
  readonly values: PoolSettings
  readonly reasons: Readonly<Record<keyof PoolSettings, string>>
  /** The plan behind `max`, where there is one. */
  readonly budget: Budget | null
  /** What cannot be had as asked for, a sentence each. */
  readonly warnings: readonly string[]
}

/**
 * Works out a pool's settings: what the user gave stands over what was measured, which stands over the defaults; but a
 * given `max` is a ceiling, which the plan for `instances` may lower.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function resolveSettings({ options, topology: found, ...measured }: ResolveInput): ResolvedSettings {
  validateOptions(options)
  const topology = assumedTopology(options) ?? found
  const given = omitUndefined(options.pool ?? {})
  const settings = { ...defaultsFor(options.preset), ...given }
  const max = resolveMax({ options, topology, ...measured })
  const min = Math.min(settings.min, max.value)
  const reasons = Object.fromEntries(
    Object.keys(settings).map((name) => [name, name in given ? 'given' : defaultReason(name, options)]),
  ) as Record<keyof PoolSettings, string>
  reasons.max = max.reason
  if (min < settings.min) reasons.min = `given as ${settings.min}, held down by max`
  return { values: { ...settings, max: max.value, min }, reasons, budget: max.budget, warnings: max.warnings }
}

interface Max {
  readonly value: number
  readonly reason: string
  readonly budget: Budget | null
  readonly warnings: readonly string[]
}

function resolveMax({ options, topology, capacity, capacityProblem, share, unseen }: ResolveInput): Max {
  const { instances, headroom, fleet, pool } = options
  const own: Max =
    pool?.max === undefined
      ? {
          value: defaultsFor(options.preset).max,
          reason: defaultReason('max', options),
          budget: null,
          warnings: [],
        }
      : { value: pool.max, reason: 'given', budget: null, warnings: [] }
  if (fleet) return { ...own, ...shareOf(fleet.app, { topology, share, unseen }, own) }
  if (instances === undefined) return own
  if (topology?.kind === 'pooler' && topology.pooler.mode !== 'session') {
    return {
      ...own,
      reason: `${own.reason}; a pooler shares out the server's connections, so instances do not divide them`,
    }
  }
  if (!capacity && topology) {
    const reason = `1 of ${instances} instances: ${capacityProblem ?? 'the database did not tell its limits'}`
    const remedy = capacityProblem
      ? 'Check what answers at this address, or set pool.max without instances.'
      : 'Give pool.max without instances.'
    const unreadable = capacityProblem ? '' : ' (pg_roles, pg_database and pg_stat_activity must be readable)'
    const warning = `${reason}${unreadable}. ${remedy}`
    return { ...own, value: 1, reason, warnings: [warning] }
  }
  if (!capacity) {
    return { ...own, value: 1, reason: `1 of ${instances} instances, until the database has been looked at` }
  }
  try {
    const budget = planBudget({ capacity, instances, headroom })
    const plan = budget.steps.join('; ')
    if (own.reason !== 'default' && own.value <= budget.maxPerInstance) {
      return { ...own, budget, reason: `${own.reason}, within the plan (${plan})` }
    }
    const ceiling = Math.max(MAX_DISCOVERED, pool?.min ?? 0)
    if (own.reason === 'default' && budget.maxPerInstance > ceiling) {
      const reason = `${ceiling}, the most that a pool opens without pool.max; planned: ${plan}`
      return { ...own, budget, value: ceiling, reason }
    }
    return { ...own, budget, value: budget.maxPerInstance, reason: `planned: ${plan}` }
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error
    return { ...own, value: 1, reason: 'the least there is: the plan does not fit', warnings: [error.message] }
  }
}

/** A fleet divides what its instances can see of each other; else what is given or the default holds. */
function shareOf(
  app: string,
  { topology, share, unseen }: Pick<ResolveInput, 'topology' | 'share' | 'unseen'>,
  own: Max,
): Partial<Max> {
  const why = topology?.kind === 'unknown' ? 'what is at the other end could not be found out' : unseen
  if (why !== undefined) {
    return {
      reason: `${own.reason}; ${why}, so fleet "${app}" shares out nothing`,
      warnings: [`fleet "${app}" shares out nothing: ${why}. Each instance may open ${own.value} (${own.reason}).`],
    }
  }
  if (!share) return { value: 1, reason: `1 until fleet "${app}" has been joined` }
  const ceiling = own.reason === 'given' ? `, at most the ${own.value} given` : ''
  const tooMany = `fleet "${app}" has more instances than there are connections to share. Run fewer, or have a PgBouncer in front that admits more.`
  return {
    value: share.maxConnections,
    reason: `share of fleet "${app}"${ceiling}: ${share.steps.join('; ')}`,
    warnings: share.instances > share.sharedConnections ? [tooMany] : [],
  }
}

function defaultReason(name: string, { preset }: SettingsOptions): string {
  return preset !== undefined && name in PRESETS[preset] ? `preset ${preset}` : 'default'
}

function validateOptions({ pool = {}, instances, headroom, fleet, pooler, preset }: SettingsOptions): void {
  validatePoolSettings(pool)
  requireOneOf('preset', preset, Object.keys(PRESETS))
  requireOneOf('pooler', pooler, ['auto', 'none', 'session', 'transaction'])
  if (instances !== undefined) requireInteger('instances', instances, 1)
  if (headroom !== undefined) requireInteger('headroom', headroom, 0)
  if (fleet !== undefined) validateFleet(fleet, instances)
  // A newcomer's first connection comes out of it: without one, who has come first would keep all the others out.
  if (fleet !== undefined && headroom !== undefined) requireInteger('headroom', headroom, 1)
}

function requireFleetNames(fleet: FleetOptions): void {
  const known: Readonly<Record<keyof FleetOptions, true>> = {
    ...{ app: true, intervalMillis: true, consoleUrl: true, trustedRoles: true },
  }
  for (const [name, value] of Object.entries(fleet)) {
    if (Object.hasOwn(known, name)) continue
    const wanted = `no value: there is no such option, only ${Object.keys(known).join(', ')}`
    throw new InvalidOptionError(`fleet.${name}`, value, wanted)
  }
}

/** A shorter interval would be all looks. */
const MIN_INTERVAL_MILLIS = 100

function validateFleet(fleet: FleetOptions, instances: number | undefined): void {
  if (instances !== undefined) {
    throw new InvalidOptionError('instances', instances, 'no value where fleet is given, which counts them itself')
  }
  if (typeof fleet !== 'object' || fleet === null) {
    throw new InvalidOptionError('fleet', fleet, "an object, as in { app: 'orders' }")
  }
  requireFleetNames(fleet)
  requireAppName('fleet.app', fleet.app)
  const { intervalMillis, consoleUrl, trustedRoles } = fleet
  if (intervalMillis === Infinity) throw new InvalidOptionError('fleet.intervalMillis', intervalMillis, 'an end')
  if (intervalMillis !== undefined) requireDuration('fleet.intervalMillis', intervalMillis, MIN_INTERVAL_MILLIS)
  if (consoleUrl !== undefined) parseConnectionString(consoleUrl)
  if (trustedRoles !== undefined && !isRoleNames(trustedRoles)) {
    throw new InvalidOptionError('fleet.trustedRoles', trustedRoles, "an array of role names, as in ['bills']")
  }
}

/**
 * The settings that hold and why, one line each, for people: at debug level (`NODE_DEBUG=poolguard`) every pool prints them
 * once it has looked at its database.
 *
 * @example
 * console.log(describeSettings(pool.settings))
 * // max                      2          planned: max_connections 20 - 3 reserved = 17; ...
 * // acquireTimeoutMillis     10000      default
 */
export function describeSettings({ values: settings, reasons, warnings }: ResolvedSettings): string {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name.padEnd(24)} ${String(value).padEnd(10)} ${reasons[name as keyof typeof settings]}`,
  )
  return [...lines, ...warnings.map((warning) => `! ${warning}`)].join('\n')
}

function isRoleNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((role) => typeof role === 'string' && role !== '')
}
