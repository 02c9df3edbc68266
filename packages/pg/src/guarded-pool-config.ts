import { InvalidOptionError, type PoolguardOptions, type PoolSettings } from '@poolguard/core'
import {
  type GuardSpec,
  hiddenTexts,
  KnownSecrets,
  omitUndefined,
  poolSettings,
  readDriversUrl,
  rejectMisspeltOptions,
  requireOneOf,
  resolveSettings,
  shownDatabase,
  shownUser,
  validatePrepareOptions,
} from '@poolguard/core/adapter'
import {
  ConnectionString,
  describeAddress,
  type PgDriverOptions,
  pgDriverOptions,
  readCertificate,
  readConnection,
} from '@poolguard/core/postgres'

import type { PoolConfig } from 'pg'

/**
 * What is done with a released connection before the next borrower gets it: an open transaction is rolled back; or beyond
 * that the whole session is reset (`DISCARD ALL`, a round trip for every release); or nothing.
 */
export type Reset = 'rollback' | 'discard' | 'off'

/** All that pg.Pool takes, with its meaning, and all that poolguard takes; the latter's names win where both are given. */
export interface GuardedPoolConfig extends PoolConfig, PoolguardOptions {
  /**
   * What is done with a released connection before the next borrower gets it. `rollback` (the default) ends a transaction
   * that was left open; `discard` also runs `DISCARD ALL`, one round trip for every release; `off` does neither.
   */
  readonly resetOnRelease?: Reset
  /**
   * Whether each checkout has a client object of its own (default). With false, all checkouts of a connection lend the same
   * object, as pg-pool does: for code that keeps what it knows of a client in a Map or WeakMap. A second `release()` is then
   * the next borrower's, and queries after a release are not noticed.
   */
  readonly clientPerCheckout?: boolean
  /** pg-pool's old name for `max`. */
  readonly poolSize?: number | undefined
}

/** A pool's configuration, sorted by who it is for. */
export interface PoolSpec extends GuardSpec {
  /** For pg's clients. */
  readonly client: GuardedPoolConfig
  /** Of the address, what is not shown. */
  readonly hidden: readonly string[]
  readonly secrets: KnownSecrets
}

/**
 * Sorts a configuration. A connection string is rewritten into pg's own options, so that nothing in it is lost or misread
 * (see {@link pgDriverOptions}); as in pg, what it says stands over the options beside it.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; `ConnectionStringError` for a bad URL.
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
      "'rollback' or 'off' with fleet: it would take away what is published",
    )
  }
  requireOneOf('sessionState', config.sessionState, ['warn', 'throw', 'off'])
  requireOneOf('queryAfterRelease', config.queryAfterRelease, ['report', 'reject'])
  if (![undefined, true, false].includes(config.clientPerCheckout)) {
    throw new InvalidOptionError('clientPerCheckout', config.clientPerCheckout, 'true or false')
  }
  validatePrepareOptions(config)
  const reading = connection && readConnection(connection)
  const rewritten = reading && pgDriverOptions(reading, { readCertificate })
  const pool = { ...(reading && poolSettings(reading)), ...settingsFromPg(config), ...config.pool }
  const address = connection ?? addressOf(config)
  const { database, user } = (reading?.target ?? address).shown()
  const hidden = hiddenTexts(address)
  const { PGDATABASE, PGUSER, PGPASSWORD } = process.env
  return {
    client: clientConfig(config, rewritten?.options),
    options: { ...config, pool },
    // In pg's own order: without a database it is the user's.
    name:
      config.name ?? database ?? shownDatabase(PGDATABASE) ?? user ?? shownUser(config.user ?? PGUSER) ?? 'postgres',
    againstPreparing: againstPreparing(config),
    target: describeAddress(address),
    hidden,
    secrets: new KnownSecrets([...hidden, config.password, PGPASSWORD]),
    connection,
    warnings: rewritten?.warnings ?? [],
  }
}

/**
 * Says at once what making a pool would say later.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; `ConnectionStringError` for a bad URL.
 */
export function validateConfig(config: GuardedPoolConfig): void {
  resolveSettings({ options: readConfig(config).options })
}

/** A URL by itself is what is often given instead. */
function requireObject(config: unknown): void {
  if (typeof config === 'object' && config !== null) return
  throw new InvalidOptionError('config', config, 'an object, as in { url }')
}

function readConnectionString(config: GuardedPoolConfig): ConnectionString | undefined {
  if (config.url !== undefined && config.connectionString !== undefined) {
    throw new InvalidOptionError('connectionString', config.connectionString, 'no value where url is given too')
  }
  if ('url' in config) return readDriversUrl(config.url)
  return readDriversUrl(config.connectionString ?? '')
}

/** pg's own names for what poolguard calls otherwise. In pg, 0 means "without end", and null is as good as nothing. */
function settingsFromPg(config: GuardedPoolConfig): Partial<PoolSettings> {
  const { max, poolSize, min, maxUses, maxLifetimeSeconds, idleTimeoutMillis, connectionTimeoutMillis } = config
  const timeout = endless(connectionTimeoutMillis)
  const lifetime = endless(maxLifetimeSeconds)
  return omitUndefined({
    max: max || poolSize || undefined,
    min: min || undefined,
    maxUses: endless(maxUses),
    idleTimeoutMillis: endless(idleTimeoutMillis),
    acquireTimeoutMillis: timeout,
    // An attempt without end would also mean to wait without end for a dead connection to answer or to close.
    connectTimeoutMillis: timeout === Infinity ? undefined : timeout,
    maxLifetimeMillis: lifetime === undefined ? undefined : lifetime * 1_000,
  })
}

function endless(value: number | null | undefined): number | undefined {
  return value === 0 ? Infinity : (value ?? undefined)
}

/** What pg's client gets: not the timeout for connecting, which the engine keeps itself. */
function clientConfig(config: GuardedPoolConfig, fromUrl: PgDriverOptions | undefined): GuardedPoolConfig {
  const { connectionTimeoutMillis: _kept, url: _read, connectionString: _rewritten, ...client } = config
  // In a pool's own options pg hides it from such a copy.
  if ('password' in config) client.password = config.password
  return { ...client, ...fromUrl } as GuardedPoolConfig
}

/** As pg takes them, from the environment, too. */
function addressOf(config: PoolConfig): ConnectionString {
  const { PGHOST, PGPORT, PGDATABASE, PGUSER } = process.env
  const host = config.host ?? PGHOST ?? 'localhost'
  const port = config.port ?? (Number(PGPORT) || 5432)
  return new ConnectionString({
    hosts: [{ host, port }],
    database: config.database ?? PGDATABASE,
    user: config.user ?? PGUSER,
  })
}

function againstPreparing({
  resetOnRelease: reset,
  pipeline,
}: GuardedPoolConfig & { readonly pipeline?: boolean | undefined }): string | undefined {
  if (reset === 'discard') return "resetOnRelease: 'discard' drops prepared statements with each release"
  // Other queries are on the wire behind one that would have to be sent again.
  return pipeline ? 'in pipeline mode a query cannot be sent again' : undefined
}
