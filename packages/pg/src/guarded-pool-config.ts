import type { PasswordFunction, PoolguardOptions, PoolSettings, ReplicaOptions } from '@poolguard/core'
import {
  ConnectionString,
  describeAddress,
  type GuardSpec,
  hiddenTexts,
  InvalidOptionError,
  KnownSecrets,
  omitUndefined,
  pgDriverOptions,
  planHosts,
  poolSettings,
  type Reading,
  readChannelBinding,
  readConnection,
  readDriversUrl,
  rejectMisspeltOptions,
  replicaPoolOptions,
  requireOneOf,
  resolveSettings,
  type ServerAddress,
  shownDatabase,
  shownUser,
  validateCredentials,
  validatePrepareOptions,
  watchCertificates,
} from '@poolguard/core/adapter'
import type { PgDriverOptions } from '@poolguard/core/postgres'
import type { PoolConfig } from 'pg'

/**
 * How a released connection is reset: `rollback` rolls back an open transaction, `discard` also runs `DISCARD ALL` (one round trip for
 * every release), `off` does nothing.
 */
export type Reset = 'rollback' | 'discard' | 'off'

/** All options of pg.Pool, with their meaning, and all options of poolguard. If both set the same thing, poolguard's option wins. */
export interface GuardedPoolConfig extends Omit<PoolConfig, 'password'>, PoolguardOptions {
  /**
   * The password, or a function that returns it, alone or as `{ password, expiresAt }`. The pool calls the function once for all connections
   * that open at the same time, keeps a password until shortly before it expires, and asks again immediately if the server rejects it.
   */
  readonly password?: string | PasswordFunction | undefined
  /**
   * How a released connection is reset. `rollback` (the default) rolls back an open transaction; `discard` also runs `DISCARD ALL`,
   * one round trip for every release; `off` does neither.
   */
  readonly resetOnRelease?: Reset
  /**
   * True (the default): each checkout returns its own client object. False: all checkouts of a connection return the same object, as
   * pg-pool does, for code that stores state per client in a Map or WeakMap. A second `release()` then releases the next caller's
   * checkout, and queries after a release are not detected.
   */
  readonly clientPerCheckout?: boolean
  /** pg-pool's old name for `max`. */
  readonly poolSize?: number | undefined
  readonly replicas?: readonly (string | Omit<GuardedPoolConfig, keyof ReplicaOptions>)[] | undefined
}

/** A pool's configuration, split by consumer. */
export interface PoolSpec extends GuardSpec {
  /** Options for pg's clients. */
  readonly client: GuardedPoolConfig
  /** The parameter `passfile` of the URL. */
  readonly passfile: string | undefined
  /** Parts of the address that may hold secrets and are never shown. */
  readonly hidden: readonly string[]
  readonly secrets: KnownSecrets
  /** The configurations of the replicas' pools. */
  readonly replicas: readonly GuardedPoolConfig[]
}

/**
 * Validates and splits a configuration. A connection string is translated into pg's own options, because pg ignores or misreads some
 * parameters (see {@link pgDriverOptions}). As in pg, the connection string overrides other options.
 *
 * @throws {InvalidOptionError} for an invalid option; `ConnectionStringError` for a bad URL.
 */
export function readConfig(config: GuardedPoolConfig): PoolSpec {
  requireObject(config)
  rejectMisspeltOptions(config)
  const connection = readConnectionString(config)
  requireOneOf('resetOnRelease', config.resetOnRelease, ['rollback', 'discard', 'off'])
  if (config.fleet && config.resetOnRelease === 'discard') {
    throw new InvalidOptionError(
      'resetOnRelease',
      'discard',
      "'rollback' or 'off' with fleet, because DISCARD ALL would delete the data that this instance has published",
    )
  }
  requireOneOf('channelBinding', config.channelBinding, ['disable', 'prefer', 'require'])
  validateCredentials(config.credentials, config.password)
  requireOneOf('sessionState', config.sessionState, ['warn', 'throw', 'off'])
  requireOneOf('queryAfterRelease', config.queryAfterRelease, ['report', 'reject'])
  if (![undefined, true, false].includes(config.clientPerCheckout)) {
    throw new InvalidOptionError('clientPerCheckout', config.clientPerCheckout, 'true or false')
  }
  validatePrepareOptions(config)
  const reading = connection && readConnection(connection)
  const rewritten = reading && pgDriverOptions(reading, { watchCertificates, choosesHost: true })
  const pool = { ...(reading && poolSettings(reading)), ...settingsFromPg(config), ...config.pool }
  const address = connection ?? addressOf(config)
  const { database, user } = (reading?.target ?? address).shown()
  const hidden = hiddenTexts(address)
  const { PGDATABASE, PGUSER, PGPASSWORD } = process.env
  // pg's own order: without a database name, pg uses the user's name.
  const name =
    config.name ?? database ?? shownDatabase(PGDATABASE) ?? user ?? shownUser(config.user ?? PGUSER) ?? 'postgres'
  return {
    client: clientConfig(config, rewritten?.options, channelBindingOf(config, reading)),
    passfile: reading?.others.get('passfile'),
    options: { ...config, pool },
    name,
    againstPreparing: reasonAgainstPreparing(config),
    target: describeAddress(address),
    hidden,
    secrets: new KnownSecrets([...hidden, config.password, PGPASSWORD]),
    connection,
    hosts: planHosts({
      servers: serversOf(config),
      options: config,
      reading,
      defaultPort: Number(process.env.PGPORT) || 5432,
      ownsSockets: config.stream === undefined,
    }),
    warnings: rewritten?.warnings ?? [],
    replicas: replicaConfigs(config, name),
  }
}

/** The configurations of the pools of a pool's replicas. */
function replicaConfigs(config: GuardedPoolConfig, name: string): readonly GuardedPoolConfig[] {
  const { password } = config
  const replicas = replicaPoolOptions(config, { name, address: ['connectionString'] })
  // pg makes the password non-enumerable in a pool's options.
  return replicas.map((replica) => (password === undefined ? replica : { password, ...replica }))
}

/**
 * Validates a configuration without creating a pool.
 *
 * @throws {InvalidOptionError} for an invalid option; `ConnectionStringError` for a bad URL.
 */
export function validateConfig(config: GuardedPoolConfig): void {
  const { options, replicas } = readConfig(config)
  resolveSettings({ options })
  for (const replica of replicas) validateConfig(replica)
}

/** Catches a plain URL passed instead of an object. */
function requireObject(config: unknown): void {
  if (typeof config === 'object' && config !== null) return
  throw new InvalidOptionError('config', config, 'an object, as in { url }')
}

function readConnectionString(config: GuardedPoolConfig): ConnectionString | undefined {
  if (config.url !== undefined && config.connectionString !== undefined) {
    throw new InvalidOptionError('connectionString', config.connectionString, 'no value if url is set too')
  }
  const set = parametersSetBy(config)
  if ('url' in config) return readDriversUrl(config.url, set)
  return readDriversUrl(config.connectionString ?? '', set)
}

/** The parameters that pg's options set. The URL of an app overrides them, but a service does not. */
function parametersSetBy(config: GuardedPoolConfig): readonly string[] {
  const { host, database, ssl, password } = config
  return [
    ...Object.keys(omitUndefined({ ...config })),
    ...(host ? ['hostaddr'] : []),
    ...(database ? ['dbname'] : []),
    ...(ssl === undefined ? [] : ['sslmode']),
    // pg makes it non-enumerable in a pool's options.
    ...(password ? ['password'] : []),
  ]
}

/** Translates pg's option names. In pg, 0 means no limit, and null means not set. */
function settingsFromPg(config: GuardedPoolConfig): Partial<PoolSettings> {
  const { max, poolSize, min, maxUses, maxLifetimeSeconds, idleTimeoutMillis, connectionTimeoutMillis } = config
  const timeout = zeroMeansNoLimit(connectionTimeoutMillis)
  const lifetime = zeroMeansNoLimit(maxLifetimeSeconds)
  return omitUndefined({
    max: max || poolSize || undefined,
    min: min || undefined,
    maxUses: zeroMeansNoLimit(maxUses),
    idleTimeoutMillis: zeroMeansNoLimit(idleTimeoutMillis),
    acquireTimeoutMillis: timeout,
    // Never Infinity: the same timeout bounds the wait for a dead connection to answer or to close.
    connectTimeoutMillis: timeout === Infinity ? undefined : timeout,
    maxLifetimeMillis: lifetime === undefined ? undefined : lifetime * 1_000,
  })
}

function zeroMeansNoLimit(value: number | null | undefined): number | undefined {
  return value === 0 ? Infinity : (value ?? undefined)
}

/** The options for pg's client. Leaves out the connect timeout, which the engine enforces. */
function clientConfig(
  config: GuardedPoolConfig,
  fromUrl: PgDriverOptions | undefined,
  channelBinding: GuardedPoolConfig['channelBinding'],
): GuardedPoolConfig {
  const {
    connectionTimeoutMillis: _timeout,
    url: _url,
    connectionString: _connectionString,
    replicas: _replicas,
    ...given
  } = config
  const client: Record<string, unknown> = { ...given }
  // pg makes the password non-enumerable in a pool's options, so the spread above does not copy it.
  if ('password' in config) client.password = config.password
  Object.assign(client, fromUrl)
  if (config.credentials) delete client.password
  if (channelBinding) Object.assign(client, { channelBinding, enableChannelBinding: channelBinding !== 'disable' })
  return client as GuardedPoolConfig
}

function channelBindingOf(
  config: GuardedPoolConfig,
  reading: Reading | undefined,
): GuardedPoolConfig['channelBinding'] {
  return config.channelBinding ?? (reading && readChannelBinding(reading.others))
}

/** Reads the address as pg does: from the options, then the environment. */
function addressOf(config: GuardedPoolConfig): ConnectionString {
  const { PGDATABASE, PGUSER } = process.env
  return new ConnectionString({
    hosts: serversOf(config),
    database: config.database ?? PGDATABASE,
    user: config.user ?? PGUSER,
  })
}

/**
 * Reads host and port as pg does: from the options, then the environment. Both may be lists, as in libpq.
 *
 * @throws {InvalidOptionError} if there is more than one port, but not one for each host.
 */
function serversOf(config: GuardedPoolConfig): readonly ServerAddress[] {
  const { PGHOST, PGPORT } = process.env
  const hosts = (config.host || PGHOST || 'localhost').split(',')
  const ports = String(config.port || PGPORT || 5432).split(',')
  if (ports.length > 1 && ports.length !== hosts.length) {
    throw new InvalidOptionError('port', config.port ?? PGPORT, `one port, or one for each of ${hosts.length} hosts`)
  }
  return hosts.map((host, index) => ({
    host: host.trim() || 'localhost',
    port: Number(ports[ports.length === 1 ? 0 : index]) || 5432,
  }))
}

/** Why statements cannot be prepared with these options; undefined if they can. */
function reasonAgainstPreparing({
  resetOnRelease: reset,
  pipeline,
}: GuardedPoolConfig & { readonly pipeline?: boolean | undefined }): string | undefined {
  if (reset === 'discard') return "resetOnRelease: 'discard' drops prepared statements at each release"
  // Other queries have already been sent behind a query that would need a retry.
  return pipeline ? 'in pipeline mode a rejected query cannot be retried' : undefined
}
