import { createSecureContext } from 'node:tls'
import { InvalidOptionError, type PoolguardOptions, type PoolSettings } from '@poolguard/core'
import {
  type GuardSpec,
  OPTION_NAMES,
  omitUndefined,
  poolSettings,
  readDriversUrl,
  rejectMisspeltOptions,
  requireOneOf,
  validatePrepareOptions,
} from '@poolguard/core/adapter'
import {
  type ConnectionString,
  postgresJsDriverOptions,
  readCertificate,
  readConnection,
} from '@poolguard/core/postgres'
import type postgres from 'postgres'

/** All that postgres() takes, with its meaning, and all that poolguard takes; the latter's names win where both are given. */
export interface GuardedOptions<T extends Record<string, postgres.PostgresType> = Record<string, postgres.PostgresType>>
  extends postgres.Options<T>,
    PoolguardOptions {}

/** Options, sorted by who they are for. */
export interface SqlSpec {
  /** For postgres(), which gets no URL: it misreads much of one, and sends the rest to the server. */
  readonly driver: Record<string, unknown>
  /** For the guard. What was not said otherwise is completed by what postgres.js takes from the environment. */
  readonly guard: Omit<GuardSpec, 'name' | 'target'> & { readonly name: string | undefined }
  /** Whether statements are prepared; undefined where that is to be found out. */
  readonly prepare: boolean | undefined
  /** Whether array types are learnt. The pool does it once, by itself: see {@link ArrayTypes}. */
  readonly fetchTypes: boolean
}

/**
 * Sorts options. As in postgres.js they stand over what the URL says.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; `ConnectionStringError` for a bad URL.
 */
export function readOptions(options: GuardedOptions): SqlSpec {
  rejectMisspeltOptions(options)
  const connection = 'url' in options ? readDriversUrl(options.url) : undefined
  requireOneOf('sessionState', options.sessionState, ['warn', 'throw', 'off'])
  validatePrepareOptions(options)
  requireSsl(options.ssl)
  const reading = connection && readConnection(connection)
  const rewritten = reading && postgresJsDriverOptions(reading, { readCertificate })
  const pool = { ...(reading && poolSettings(reading)), ...settingsFromOptions(options), ...options.pool }
  return {
    driver: {
      ...(rewritten && driverOptions({ ...rewritten.options })),
      ...driverOptions({ ...options }),
      connection: startup(options, rewritten?.options.connection),
    },
    guard: {
      name: options.name,
      options: { ...options, pool },
      connection,
      warnings: rewritten?.warnings ?? [],
    },
    prepare:
      options.prepare ??
      (options.no_prepare ? false : undefined) ??
      preparesByUrl(connection, rewritten?.options.prepare),
    fetchTypes: options.fetch_types ?? rewritten?.options.fetch_types ?? true,
  }
}

/** What is not for postgres.js: poolguard's own, and what the pool does instead. */
const NOT_FOR_DRIVER: readonly string[] = [
  ...OPTION_NAMES,
  ...['max', 'idle_timeout', 'timeout', 'connect_timeout', 'max_lifetime', 'fetch_types', 'prepare', 'no_prepare'],
]

/** Under one name each, so that what the URL says does not win over an alias. */
function driverOptions({ hostname, username, db, pass, ...options }: Record<string, unknown>): Record<string, unknown> {
  const named = { host: hostname, user: username, database: db, password: pass }
  const own = Object.entries(options).filter(([name]) => !NOT_FOR_DRIVER.includes(name))
  return { ...omitUndefined(named), ...omitUndefined(Object.fromEntries(own)) }
}

/** In postgres.js a URL's parameters stand over `connection`. */
function startup(options: GuardedOptions, fromUrl: Record<string, string> | undefined): Record<string, unknown> {
  return { ...options.connection, ...fromUrl }
}

/** `pgbouncer=true` says what is measured better; only `prepare` itself is a wish. */
function preparesByUrl(connection: ConnectionString | undefined, read: boolean | undefined): boolean | undefined {
  return connection?.parameter('prepare') === undefined ? undefined : read
}

/** postgres.js finds out when it connects, in a place where the error ends the process. */
function requireSsl(ssl: unknown): void {
  if (typeof ssl !== 'object' || ssl === null) return
  try {
    createSecureContext(ssl)
  } catch (cause) {
    throw new InvalidOptionError('ssl', '{...}', 'options of tls.connect that can be used', { cause })
  }
}

/**
 * The names of postgres.js for what poolguard calls otherwise, from the options or, as there, from the environment.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
function settingsFromOptions(options: GuardedOptions): Partial<PoolSettings> {
  const { PGMAX, PGIDLE_TIMEOUT, PGCONNECT_TIMEOUT, PGMAX_LIFETIME } = process.env
  const idle = options.idle_timeout === undefined ? options.timeout : options.idle_timeout
  const connect = readSeconds('connect_timeout', options.connect_timeout, PGCONNECT_TIMEOUT)
  return omitUndefined({
    max: readMax(options.max, PGMAX),
    idleTimeoutMillis: readSeconds('idle_timeout', idle, PGIDLE_TIMEOUT),
    // An attempt without end would also mean to wait without end for a dead connection to answer or to close.
    connectTimeoutMillis: connect === Infinity ? undefined : connect,
    maxLifetimeMillis: readSeconds('max_lifetime', options.max_lifetime, PGMAX_LIFETIME),
  })
}

function readMax(given: unknown, fromEnvironment: string | undefined): number | undefined {
  const max = given ?? (fromEnvironment ? Number(fromEnvironment) : undefined)
  if (max === undefined || (Number.isSafeInteger(max) && (max as number) >= 1)) return max as number | undefined
  throw new InvalidOptionError(
    given === undefined ? 'PGMAX' : 'max',
    given ?? fromEnvironment,
    'a whole number of at least 1',
  )
}

/** In milliseconds. In postgres.js 0, null and false are without end. */
function readSeconds(option: string, given: unknown, fromEnvironment: string | undefined): number | undefined {
  if (given === undefined && !fromEnvironment) return undefined
  const seconds = given === undefined ? Number(fromEnvironment) : given || 0
  if (seconds === 0) return Infinity
  if (typeof seconds === 'number' && seconds > 0) return seconds * 1_000
  throw new InvalidOptionError(
    given === undefined ? `PG${option.toUpperCase()}` : option,
    given ?? fromEnvironment,
    'a number of seconds',
  )
}
