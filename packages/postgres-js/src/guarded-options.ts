import { createSecureContext } from 'node:tls'
import type {
  CredentialsFunction,
  PasswordFunction,
  PoolguardOptions,
  PoolSettings,
  ReplicaOptions,
} from '@poolguard/core'
import {
  ConnectionStringError,
  type GuardSpec,
  type HostPlan,
  InvalidOptionError,
  OPTION_NAMES,
  omitUndefined,
  planHosts,
  poolSettings,
  postgresJsDriverOptions,
  type Reading,
  type ReplicaPolicy,
  readChannelBinding,
  readConnection,
  readDriversUrl,
  readReplicaPolicy,
  rejectMisspeltOptions,
  replicaPoolOptions,
  requireOneOf,
  type ServerAddress,
  validateCredentials,
  validatePrepareOptions,
  watchCertificates,
} from '@poolguard/core/adapter'
import type { ConnectionString } from '@poolguard/core/postgres'
import type postgres from 'postgres'

/** All options of postgres(), with their meaning, and all options of poolguard. If both set the same thing, poolguard's option wins. */
export interface GuardedOptions<T extends Record<string, postgres.PostgresType> = Record<string, postgres.PostgresType>>
  extends Omit<postgres.Options<T>, 'password' | 'pass'>,
    PoolguardOptions {
  /**
   * The password, or a function that returns it, alone or as `{ password, expiresAt }`. The pool calls the function once for all connections
   * that open at the same time, keeps a password until shortly before it expires, and asks again immediately if the server rejects it.
   */
  readonly password?: string | PasswordFunction | undefined
  /** postgres.js' other name for `password`. */
  readonly pass?: string | PasswordFunction | undefined
  readonly replicas?: readonly (string | Omit<GuardedOptions<T>, keyof ReplicaOptions>)[] | undefined
}

/** Options, split by consumer. */
export interface SqlSpec {
  /** Options for postgres(). It gets no URL: it misreads some parameters and sends unknown ones to the server. */
  readonly driver: Record<string, unknown>
  /** Options for the guard. postgres.js fills missing ones from the environment. */
  readonly guard: Omit<GuardSpec, 'name' | 'target'> & { readonly name: string | undefined }
  /** Whether statements are prepared; undefined if the detection decides. */
  readonly prepare: boolean | undefined
  readonly credentials: CredentialsFunction | undefined
  /** The parameter `passfile` of the URL. */
  readonly passfile: string | undefined
  /** Whether array types are read. The pool does this once, not postgres.js; see {@link ArrayTypes}. */
  readonly fetchTypes: boolean
  /** Plans the choice of a server, of those that postgres.js has read from the options and the environment. */
  readonly planHosts: (servers: readonly ServerAddress[]) => HostPlan | undefined
  readonly replicaPolicy: ReplicaPolicy
  /** The options of the replicas' pools, for the name of the pool itself. */
  readonly replicas: (name: string) => readonly SqlSpec[]
}

/**
 * Validates and splits options. As in postgres.js, options override the URL.
 *
 * @throws {InvalidOptionError} for an invalid option; `ConnectionStringError` for a bad URL.
 */
export function readOptions(options: GuardedOptions): SqlSpec {
  // postgres.js' own name for targetSessionAttrs.
  const { target_session_attrs: _own, ...named } = options
  rejectMisspeltOptions(named)
  const connection = readDriversUrl('url' in options ? options.url : '')
  requireOneOf('sessionState', options.sessionState, ['warn', 'throw', 'off'])
  validatePrepareOptions(options)
  validateCredentials(options.credentials, options.password ?? options.pass)
  requireSsl(options.ssl)
  const reading = connection && readConnection(connection)
  rejectChannelBinding(options, reading)
  const rewritten = reading && postgresJsDriverOptions(reading, { watchCertificates, choosesHost: true })
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
    credentials: options.credentials,
    passfile: reading?.others.get('passfile'),
    fetchTypes: options.fetch_types ?? rewritten?.options.fetch_types ?? true,
    planHosts: (servers) => planFor(options, reading, servers),
    replicaPolicy: readReplicaPolicy(options),
    replicas: (name) => replicaPoolOptions(options, { name, address: ADDRESS }).map((replica) => readOptions(replica)),
  }
}

/** postgres.js' own names for the address. */
const ADDRESS: readonly string[] = ['hostname', 'path', 'target_session_attrs']

function planFor(
  options: GuardedOptions,
  reading: Reading | undefined,
  servers: readonly ServerAddress[],
): HostPlan | undefined {
  const {
    targetSessionAttrs = options.target_session_attrs,
    loadBalanceHosts,
    host,
    hostname,
    path,
    socket,
  } = options as GuardedOptions & { readonly hostname?: string; readonly socket?: unknown }
  const isInOptions = (host ?? hostname ?? path) !== undefined
  return planHosts({
    servers,
    options: { targetSessionAttrs, loadBalanceHosts },
    reading: isInOptions && reading ? { ...reading, target: reading.target.with({ hosts: [] }) } : reading,
    defaultPort: 5432,
    ownsSockets: socket === undefined,
  })
}

/** postgres.js supports only SCRAM-SHA-256 without channel binding (src/connection.js, SASL). */
function rejectChannelBinding({ channelBinding }: GuardedOptions, reading: Reading | undefined): void {
  requireOneOf('channelBinding', channelBinding, ['disable', 'prefer', 'require'])
  if (channelBinding === 'require') {
    const wanted = "'disable' or 'prefer' with postgres.js, which has no channel binding; pg has it: use @poolguard/pg"
    throw new InvalidOptionError('channelBinding', channelBinding, wanted)
  }
  if (channelBinding !== undefined || !reading || readChannelBinding(reading.others) !== 'require') return
  throw new ConnectionStringError(
    'parameters',
    'postgres.js has no channel binding, so it cannot connect with channel_binding=require. Use @poolguard/pg, which has it, or remove the parameter from the URL',
  )
}

/** Options that postgres.js does not get: poolguard's own, and those that the pool implements. */
const NOT_FOR_DRIVER: readonly string[] = [
  ...OPTION_NAMES,
  'target_session_attrs',
  ...['max', 'idle_timeout', 'timeout', 'connect_timeout', 'max_lifetime', 'fetch_types', 'prepare', 'no_prepare'],
]

/** Renames aliases, so that the URL cannot override an option given by its alias. */
function driverOptions({ hostname, username, db, pass, ...options }: Record<string, unknown>): Record<string, unknown> {
  const named = { host: hostname, user: username, database: db, password: pass }
  const own = Object.entries(options).filter(([name]) => !NOT_FOR_DRIVER.includes(name))
  return { ...omitUndefined(named), ...omitUndefined(Object.fromEntries(own)) }
}

/** As in postgres.js, the URL's parameters override `connection`. */
function startup(options: GuardedOptions, fromUrl: Record<string, string> | undefined): Record<string, unknown> {
  return { ...options.connection, ...fromUrl }
}

/** Only the parameter `prepare` counts: instead of trusting `pgbouncer=true`, the pool finds out whether preparing is safe. */
function preparesByUrl(connection: ConnectionString | undefined, read: boolean | undefined): boolean | undefined {
  return connection?.parameter('prepare') === undefined ? undefined : read
}

/** postgres.js would notice invalid TLS options only while connecting, where the error ends the process. */
function requireSsl(ssl: unknown): void {
  if (typeof ssl !== 'object' || ssl === null) return
  try {
    createSecureContext(ssl)
  } catch (cause) {
    throw new InvalidOptionError(
      'ssl',
      '{...}',
      'valid options of tls.connect; the cause of this error says which one is invalid',
      { cause },
    )
  }
}

/**
 * Translates postgres.js' option names. As in postgres.js, the environment provides missing values.
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
    // Never Infinity: the same timeout bounds the wait for a dead connection to answer or to close.
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

/** Converts seconds to milliseconds. In postgres.js, 0, null and false mean no limit. */
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
