import { parseConnectionString } from '../connection-string/index.ts'
import { ADAPTIVE_APP_LENGTH, requireAppName } from '../fleet/index.ts'
import { InvalidOptionError, requireDuration, requireInteger, requireOneOf } from '../invalid-option-error.ts'
import { type PoolSettings, validateLanes, validatePoolSettings } from '../pool/index.ts'
import { type FleetOptions, PRESETS, type SettingsOptions } from './options.ts'

/** @throws {InvalidOptionError} names the option and the value. */
export function validateOptions({
  pool = {},
  lanes,
  instances,
  headroom,
  fleet,
  pooler,
  preset,
}: SettingsOptions): void {
  validatePoolSettings(pool)
  if (lanes !== undefined) validateLanes(lanes)
  requireOneOf('preset', preset, Object.keys(PRESETS))
  requireOneOf('pooler', pooler, ['auto', 'none', 'session', 'transaction'])
  if (instances !== undefined) requireInteger('instances', instances, 1)
  if (headroom !== undefined) requireInteger('headroom', headroom, 0)
  if (fleet !== undefined) validateFleet(fleet, instances)
  if (fleet?.adaptive) requireNoOwnLimit(pool.limit)
  else if (pool.limit === 'adaptive' && (fleet !== undefined || (instances ?? 1) > 1))
    requireNoOthers(pool.limit, fleet)
  // A new instance opens its first connection from the headroom; without headroom, the first instances would keep it out.
  if (fleet !== undefined && headroom !== undefined) requireInteger('headroom', headroom, 1)
}

/** Each instance would gain by taking from the others, so that the total would grow without bound. */
function requireNoOthers(limit: string, fleet: FleetOptions | undefined): never {
  const together = fleet === undefined ? 'with several instances' : 'with fleet'
  throw new InvalidOptionError(
    'pool.limit',
    limit,
    `'cores', 'max' or a number ${together}: an adaptive limit of a single process would take from the others. Use fleet: { app, adaptive: true } for all of them`,
  )
}

function requireNoOwnLimit(limit: PoolSettings['limit'] | undefined): void {
  if (limit === undefined || limit === 'adaptive') return
  throw new InvalidOptionError('pool.limit', limit, 'no value when fleet.adaptive is set: the fleet finds the limit')
}

function requireFleetNames(fleet: FleetOptions): void {
  const known: Readonly<Record<keyof FleetOptions, true>> = {
    ...{ app: true, adaptive: true, intervalMillis: true, consoleUrl: true, trustedRoles: true },
  }
  for (const [name, value] of Object.entries(fleet)) {
    if (Object.hasOwn(known, name)) continue
    const wanted = `no value: this option does not exist. The options of fleet are ${Object.keys(known).join(', ')}`
    throw new InvalidOptionError(`fleet.${name}`, value, wanted)
  }
}

/** With a shorter interval the exchanges would take most of the time. */
const MIN_INTERVAL_MILLIS = 100

function validateFleet(fleet: FleetOptions, instances: number | undefined): void {
  if (instances !== undefined) {
    throw new InvalidOptionError(
      'instances',
      instances,
      'no value when fleet is set: a fleet counts its instances itself',
    )
  }
  if (typeof fleet !== 'object' || fleet === null) {
    throw new InvalidOptionError('fleet', fleet, "an object, as in { app: 'orders' }")
  }
  requireFleetNames(fleet)
  const { app, adaptive = false, intervalMillis, consoleUrl, trustedRoles } = fleet
  if (typeof adaptive !== 'boolean') throw new InvalidOptionError('fleet.adaptive', adaptive, 'true or false')
  requireAppName('fleet.app', app, adaptive ? ADAPTIVE_APP_LENGTH : undefined)
  if (intervalMillis === Infinity)
    throw new InvalidOptionError('fleet.intervalMillis', intervalMillis, 'a finite number')
  if (intervalMillis !== undefined) requireDuration('fleet.intervalMillis', intervalMillis, MIN_INTERVAL_MILLIS)
  if (consoleUrl !== undefined) parseConnectionString(consoleUrl)
  if (trustedRoles !== undefined && !isRoleNames(trustedRoles)) {
    throw new InvalidOptionError('fleet.trustedRoles', trustedRoles, "an array of role names, as in ['bills']")
  }
}

function isRoleNames(value: unknown): boolean {
  return Array.isArray(value) && value.every((role) => typeof role === 'string' && role !== '')
}
