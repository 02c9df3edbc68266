import { InvalidOptionError } from '../../invalid-option-error.ts'
import { DEFAULT_POOL_SETTINGS, type PoolSettings } from '../../pool/index.ts'
import type { FleetOptions } from '../../settings/index.ts'
import type { PoolguardOptions } from './poolguard-options.ts'

const OPTIONS: Readonly<Record<keyof PoolguardOptions, true>> = {
  ...{ url: true, name: true, pool: true, pooler: true, preset: true, instances: true, fleet: true, headroom: true },
  ...{ lanes: true, budget: true },
  ...{
    onEvent: true,
    insight: true,
    sessionState: true,
    queryAfterRelease: true,
    waitForServer: true,
    waitUntil: true,
  },
  ...{ credentials: true, channelBinding: true, targetSessionAttrs: true, loadBalanceHosts: true },
  ...{ replicas: true, routeReads: true, maxReplicaLagMillis: true, readYourWritesMillis: true, withoutReplica: true },
  ...{ prepareThreshold: true, maxPreparedStatements: true, prepareTypes: true },
}

/** The names of poolguard's own options, which share an object with a driver's options. */
export const OPTION_NAMES: readonly string[] = Object.keys(OPTIONS)

/** Settings that also are options of a driver. */
const DRIVERS_OWN: readonly (keyof PoolSettings)[] = ['max', 'min', 'maxUses', 'idleTimeoutMillis']

/** Options of a fleet that no driver has. */
const OF_FLEET: readonly (keyof FleetOptions)[] = ['adaptive', 'intervalMillis', 'consoleUrl', 'trustedRoles']

const NAMES_BY_SPELLING = new Map(OPTION_NAMES.map((name) => [plain(name), name]))
/** The object that each nested option belongs to. */
const PLACES = new Map<string, readonly [outer: string, inner: string]>([
  ...Object.keys(DEFAULT_POOL_SETTINGS)
    .filter((name) => !(DRIVERS_OWN as readonly string[]).includes(name))
    .map((name) => [plain(name), ['pool', name]] as const),
  ...OF_FLEET.map((name) => [plain(name), ['fleet', name]] as const),
])

/**
 * Rejects options that would have no effect: a setting of `pool` or `fleet` outside of that object, and a misspelt name
 * (`instance`, `max_prepared`). Other unknown names may be options of the driver.
 * @throws {InvalidOptionError} with the correct name.
 */
export function rejectMisspeltOptions(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    // pg has an option of the same name, which takes a boolean.
    const isOfPg = name === 'pipeline' && typeof value === 'boolean'
    if (value === undefined || Object.hasOwn(OPTIONS, name) || isOfPg) continue
    const correctName = NAMES_BY_SPELLING.get(plain(name))
    if (correctName)
      throw new InvalidOptionError(name, value, `no value: this option does not exist. Did you mean ${correctName}?`)
    const [outer, inner] = PLACES.get(plain(name)) ?? []
    if (outer) throw new InvalidOptionError(name, value, `no value here: set ${outer}.${inner} instead`)
  }
}

/**
 * Rejects poolguard's options in an object where they would have no effect.
 *
 * @param place where they belong, as in "the first argument, as in new PrismaPg({ url, fleet })"
 * @throws {InvalidOptionError} names the first of them.
 */
export function rejectForeignOptions(options: object, place: string): void {
  for (const [name, value] of Object.entries(options)) {
    // Other libraries also have options named url and name.
    if (value === undefined || name === 'url' || name === 'name' || !Object.hasOwn(OPTIONS, name)) continue
    throw new InvalidOptionError(name, value, `no value here: set it in ${place}`)
  }
}

/** Normalizes a spelling: removes case, underscores and a plural s. */
function plain(name: string): string {
  return name
    .toLowerCase()
    .replaceAll(/[^a-z]/g, '')
    .replace(/s$/, '')
}
