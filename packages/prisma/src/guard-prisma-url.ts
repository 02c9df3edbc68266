import type { PoolguardOptions } from '@poolguard/core'
import {
  assumedTopology,
  assumeTopology,
  describeRewriteWarning,
  InvalidOptionError,
  readPoolParameters,
  readUrlOption,
  resolveSettings,
  topologyTraits,
} from '@poolguard/core/adapter'
import { type ConnectionSettings, type ConnectionString, toPrismaEngine } from '@poolguard/core/postgres'

/** The poolguard options that the Rust engine of Prisma 5 and 6 supports. */
export type PrismaUrlOptions = Pick<PoolguardOptions, 'pool' | 'preset' | 'pooler' | 'onEvent'>

/** The settings that the engine has a parameter for, and `min`, which `toPrismaEngine` warns about. */
const ENGINE_SETTINGS = [
  'max',
  'min',
  'acquireTimeoutMillis',
  'connectTimeoutMillis',
  'idleTimeoutMillis',
  'maxLifetimeMillis',
] as const

/** Options that need the database's capacity. */
const CAPACITY_OPTIONS = ['fleet', 'instances', 'headroom'] as const

/**
 * Writes the URL for PrismaClient 5 and 6 with the Rust engine, which has its own pool and reads the limits from the URL: `pool`
 * becomes `connection_limit`, `pool_timeout`, `connect_timeout` and the two lifetimes, `pooler` sets or drops `pgbouncer=true`.
 * Parameters in the URL apply unless an option overrides them. This function does not connect, so `pooler: 'auto'` recognises a
 * pooler by its address only; for your own PgBouncer, set `pooler: 'transaction'`.
 *
 * Settings that the engine does not support produce a `warning` event for `onEvent`, or a process warning.
 *
 * @throws {ConnectionStringError} for a bad URL; {@link InvalidOptionError} for an invalid option, for `fleet`, `instances`
 * and `headroom`, which need the database's capacity (set `pool.max` instead), and for `lanes` and `budget`.
 * @example
 * const prisma = new PrismaClient({
 *   datasourceUrl: guardPrismaUrl(process.env.DATABASE_URL, { pool: { max: 5 }, pooler: 'transaction' }),
 * })
 */
export function guardPrismaUrl(url: string | undefined, options: PrismaUrlOptions = {}): string {
  rejectCapacityOptions(options)
  rejectPoolOptions(options)
  const connection = readUrlOption(url)
  const settings = engineSettings(connection, options)
  const topology = assumedTopology(options) ?? assumeTopology(connection)
  const { url: rewritten, warnings } = toPrismaEngine(connection, settings, {
    topology: topology && topologyTraits(topology),
  })
  const warn = listenerOf(options)
  for (const warning of warnings) warn(describeRewriteWarning(warning))
  for (const name of Object.keys(options.pool ?? {})) {
    if (!(ENGINE_SETTINGS as readonly string[]).includes(name))
      warn(`pool.${name}: Prisma's engine has no such setting`)
  }
  return rewritten.href
}

/** Options override the URL, the URL overrides the preset. */
function engineSettings(connection: ConnectionString, options: PrismaUrlOptions): ConnectionSettings {
  const written = readPoolParameters(connection)
  const given = Object.fromEntries(ENGINE_SETTINGS.map((name) => [name, options.pool?.[name] ?? written[name]]))
  const { values: settings } = resolveSettings({ options: { ...options, pool: { ...options.pool, ...given } } })
  const chosen = ENGINE_SETTINGS.filter((name) => options.preset || given[name] !== undefined)
  return Object.fromEntries(chosen.map((name) => [name, settings[name]]))
}

function rejectCapacityOptions(options: PoolguardOptions): void {
  for (const name of CAPACITY_OPTIONS) {
    if (options[name] === undefined) continue
    throw new InvalidOptionError(
      name,
      options[name],
      'no value here, because guardPrismaUrl does not connect to the database: set pool.max',
    )
  }
}

function rejectPoolOptions({ lanes, budget }: PoolguardOptions): void {
  if (lanes !== undefined) {
    const wanted =
      "no value here, because the pool of Prisma's engine has no lanes: use PrismaPg, or set pool.max of a client for each kind of work"
    throw new InvalidOptionError('lanes', lanes, wanted)
  }
  if (budget !== undefined) {
    const wanted =
      "no value here, because the pool of Prisma's engine shares no budget: use PrismaPg, or set pool.max of each client"
    throw new InvalidOptionError('budget', budget.name, wanted)
  }
}

function listenerOf({ onEvent }: PrismaUrlOptions): (message: string) => void {
  if (onEvent) return (message) => onEvent({ type: 'warning', message })
  return (message) => process.emitWarning(`guardPrismaUrl: ${message}`, 'PoolguardWarning')
}
