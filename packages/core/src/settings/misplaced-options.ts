import { InvalidOptionError } from '../invalid-option-error.ts'
import type { FleetOptions } from './options.ts'
import { DEFAULT_POOL_SETTINGS } from './pool-settings.ts'

/** Settings that a driver has at the top, under the same name. */
const DRIVERS_OWN: readonly string[] = ['max', 'min', 'maxUses', 'idleTimeoutMillis']

const FLEET_OPTIONS: readonly (keyof FleetOptions)[] = ['app', 'intervalMillis', 'consoleUrl']

/** What poolguard takes beside a driver's own options, which are not all known. */
const OPTIONS: readonly string[] = [
  ...['url', 'name', 'pool', 'fleet', 'instances', 'headroom', 'preset', 'pooler', 'onEvent', 'lint', 'reset'],
  ...['prepareThreshold', 'maxPrepared', 'waitUntil'],
]

/**
 * Says of an option that would be taken for one of the driver's, and be without effect, where it belongs.
 *
 * @throws {InvalidOptionError} for a setting that stands beside `pool` or `fleet` instead of inside, and for a name that is one of
 * poolguard's but for a letter.
 */
export function refuseMisplaced(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const wanted = value === undefined ? undefined : placeFor(name)
    if (wanted !== undefined) throw new InvalidOptionError(name, value, wanted)
  }
}

/** @throws {InvalidOptionError} for what is no option of a fleet. */
export function refuseUnknownInFleet(fleet: object): void {
  const unknown = Object.entries(fleet).find(([name]) => !(FLEET_OPTIONS as readonly string[]).includes(name))
  if (unknown === undefined) return
  const only = `no value: there is no such option, only ${FLEET_OPTIONS.join(', ')}`
  throw new InvalidOptionError(`fleet.${unknown[0]}`, unknown[1], only)
}

function placeFor(name: string): string | undefined {
  if (OPTIONS.includes(name) || DRIVERS_OWN.includes(name)) return undefined
  if (Object.hasOwn(DEFAULT_POOL_SETTINGS, name)) return `no value here: it is pool.${name}`
  if ((FLEET_OPTIONS as readonly string[]).includes(name)) return `no value here: it is fleet.${name}`
  const meant = OPTIONS.find((option) => isOneEditAway(name.toLowerCase(), option.toLowerCase()))
  return meant === undefined ? undefined : `no value: there is no such option. Is it ${meant}?`
}

/** Whether one letter more, less or another makes the one of the other; or none, where only the case differs. */
function isOneEditAway(a: string, b: string): boolean {
  const [short, long] = a.length < b.length ? [a, b] : [b, a]
  let at = 0
  while (at < short.length && short[at] === long[at]) at++
  return short.slice(long.length === short.length ? at + 1 : at) === long.slice(at + 1)
}
