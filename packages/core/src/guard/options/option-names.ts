import { InvalidOptionError } from '../../invalid-option-error.ts'
import { DEFAULT_POOL_SETTINGS, type PoolSettings } from '../../pool/index.ts'
import type { FleetOptions } from '../../settings/index.ts'
import type { PoolguardOptions } from './poolguard-options.ts'

const OPTIONS: Readonly<Record<keyof PoolguardOptions, true>> = {
  ...{ url: true, name: true, pool: true, pooler: true, preset: true, instances: true, fleet: true, headroom: true },
  ...{ onEvent: true, sessionState: true, queryAfterRelease: true, waitForServer: true, waitUntil: true },
  ...{ prepareThreshold: true, maxPreparedStatements: true, prepareTypes: true },
}

/** The names of poolguard's own options, which stand beside a driver's. */
export const OPTION_NAMES: readonly string[] = Object.keys(OPTIONS)

/** Settings that a driver has a word of its own for, by the same name. */
const DRIVERS_OWN: readonly (keyof PoolSettings)[] = ['max', 'min', 'maxUses', 'idleTimeoutMillis']

/** Those of a fleet whose names nobody else would have. */
const OF_FLEET: readonly (keyof FleetOptions)[] = ['intervalMillis', 'consoleUrl', 'trustedRoles']

const MEANT = new Map(OPTION_NAMES.map((name) => [plain(name), name]))
/** Where those belong that stand inside of another. */
const PLACES = new Map<string, readonly [outer: string, inner: string]>([
  ...Object.keys(DEFAULT_POOL_SETTINGS)
    .filter((name) => !(DRIVERS_OWN as readonly string[]).includes(name))
    .map((name) => [plain(name), ['pool', name]] as const),
  ...OF_FLEET.map((name) => [plain(name), ['fleet', name]] as const),
])

/**
 * Refuses what was meant for poolguard, and would have no effect: a setting of `pool` or `fleet` beside it, and a name in another
 * spelling (`instance`, `max_prepared`). Where a driver's options stand beside, not every name can be known.
 *
 * @throws {InvalidOptionError} says what to write.
 */
export function rejectMisspeltOptions(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || Object.hasOwn(OPTIONS, name)) continue
    const meant = MEANT.get(plain(name))
    if (meant) throw new InvalidOptionError(name, value, `no value: there is no such option, but ${meant}`)
    const [outer, inner] = PLACES.get(plain(name)) ?? []
    if (outer) throw new InvalidOptionError(name, value, `no value here: it stands in ${outer}, as ${outer}.${inner}`)
  }
}

/**
 * Refuses poolguard's options among those of somebody else, where nobody would read them.
 *
 * @param place where they belong, as in "the first argument, as in new PrismaPg({ url, fleet })"
 * @throws {InvalidOptionError} names the first of them.
 */
export function rejectForeignOptions(options: object, place: string): void {
  for (const [name, value] of Object.entries(options)) {
    // Of these two others have theirs.
    if (value === undefined || name === 'url' || name === 'name' || !Object.hasOwn(OPTIONS, name)) continue
    throw new InvalidOptionError(name, value, `no value here: it stands in ${place}`)
  }
}

/** Without what is mixed up: capitals, underscores, the plural. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '')
    .replace(/s$/, '')
}
