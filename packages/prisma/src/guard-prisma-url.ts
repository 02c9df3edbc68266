import { InvalidOptionError, type PoolguardOptions } from '@poolguard/core'
import { assumedTopology, readUrlOption, resolveSettings } from '@poolguard/core/adapter'
import {
  assumeTopology,
  type ConnectionSettings,
  type ConnectionString,
  describeRewriteWarning,
  readPoolParameters,
  toPrismaEngine,
  topologyTraits,
} from '@poolguard/core/postgres'

/** What can be said to the Rust engine of Prisma 5 and 6, in poolguard's words. */
export type PrismaUrlOptions = Pick<PoolguardOptions, 'pool' | 'preset' | 'pooler' | 'onEvent'>

/** The settings that the engine has a parameter for; `min` it is warned about below. */
const ENGINE_SETTINGS = [
  'max',
  'min',
  'acquireTimeoutMillis',
  'connectTimeoutMillis',
  'idleTimeoutMillis',
  'maxLifetimeMillis',
] as const

/** Options of poolguard's whose answer is in the database. */
const UNKNOWABLE = ['fleet', 'instances', 'headroom'] as const

/**
 * Writes the URL for PrismaClient 5 and 6 with the Rust engine, which has a pool of its own that takes its bounds from
 * there: `pool` becomes `connection_limit`, `pool_timeout`, `connect_timeout` and the two lifetimes, `pooler` sets or drops
 * `pgbouncer=true`. What the URL says holds where the options say nothing. `pooler: 'auto'` goes by the address alone,
 * since nothing is connected here; a PgBouncer of your own is to be given.
 *
 * What the engine cannot have is told to `onEvent`, or as a warning of the process.
 *
 * @throws {ConnectionStringError} for a bad URL; {@link InvalidOptionError} for an option that cannot be meant, and for
 * `fleet`, `instances` and `headroom`, which nobody can divide by who has not asked the database: give `pool.max`.
 * @example
 * const prisma = new PrismaClient({
 *   datasourceUrl: guardPrismaUrl(process.env.DATABASE_URL, { pool: { max: 5 }, pooler: 'transaction' }),
 * })
 */
export function guardPrismaUrl(url: string | undefined, options: PrismaUrlOptions = {}): string {
  refuseUnknowable(options)
  const connection = readUrlOption(url)
  const settings = engineSettings(connection, options)
  const topology = assumedTopology(options) ?? assumeTopology(connection)
  const { url: rewritten, warnings } = toPrismaEngine(connection, settings, topology && topologyTraits(topology))
  const warn = listenerOf(options)
  for (const warning of warnings) warn(describeRewriteWarning(warning))
  for (const name of Object.keys(options.pool ?? {})) {
    if (!(ENGINE_SETTINGS as readonly string[]).includes(name))
      warn(`pool.${name}: the engine of Prisma has nothing like it`)
  }
  return rewritten.href
}

/** What the options say, or else the URL, or else the preset. */
function engineSettings(connection: ConnectionString, options: PrismaUrlOptions): ConnectionSettings {
  const written = readPoolParameters(connection)
  const given = Object.fromEntries(ENGINE_SETTINGS.map((name) => [name, options.pool?.[name] ?? written[name]]))
  const { values: settings } = resolveSettings({ options: { ...options, pool: { ...options.pool, ...given } } })
  const chosen = ENGINE_SETTINGS.filter((name) => options.preset || given[name] !== undefined)
  return Object.fromEntries(chosen.map((name) => [name, settings[name]]))
}

function refuseUnknowable(options: PoolguardOptions): void {
  for (const name of UNKNOWABLE) {
    if (options[name] === undefined) continue
    throw new InvalidOptionError(
      name,
      options[name],
      'no value here, where the database cannot be asked: give pool.max',
    )
  }
}

function listenerOf({ onEvent }: PrismaUrlOptions): (message: string) => void {
  if (onEvent) return (message) => onEvent({ type: 'warning', message })
  return (message) => process.emitWarning(`guardPrismaUrl: ${message}`, 'PoolguardWarning')
}
