import {
  type ConnectionString,
  InvalidOptionError,
  type PoolguardOptions,
  type PoolSettings,
  parseConnectionString,
  redact,
  resolveSettings,
  wishesOf,
} from '@poolguard/core'
import type { PoolConfig } from 'pg'
import type { Reset } from './pg-connection.ts'
import type { LintMode } from './statement-guard.ts'

/** All that pg.Pool takes, with its meaning, and all that poolguard takes; the latter's names win where both are given. */
export interface GuardedPoolConfig extends PoolConfig, PoolguardOptions {
  /**
   * What is done with a released connection before the next borrower gets it. `rollback` (the default) ends a transaction
   * that was left open; `discard` also runs `DISCARD ALL`, one round trip for every release; `off` does neither.
   */
  readonly reset?: Reset
  /**
   * What becomes of a statement that relies on the session (`SET`, `LISTEN`, session locks, named statements...) where a
   * pooler does not keep that: `warn` once (the default), `throw` instead of sending it, or `off`.
   */
  readonly lint?: LintMode
}

/** A pool's configuration, sorted by who it is for. */
export interface PoolSpec {
  /** For pg's clients. */
  readonly client: GuardedPoolConfig
  /** For the engine. */
  readonly options: PoolguardOptions
  readonly name: string
  /** Where it connects to, without a password. */
  readonly target: string
}

/**
 * Sorts a configuration.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; {@link ConnectionStringError} for a bad URL.
 */
export function readConfig(config: GuardedPoolConfig): PoolSpec {
  const text = readText(config)
  const url = text === undefined ? undefined : parseConnectionString(text)
  requireOneOf('reset', config.reset, ['rollback', 'discard', 'off'])
  requireOneOf('lint', config.lint, ['warn', 'throw', 'off'])
  const pool = { ...(url && settingsFromUrl(url)), ...settingsFromPg(config), ...config.pool }
  const database = url ? url.database : config.database
  return {
    client: clientConfig(config, text !== undefined && url && !pgReadsAlike(text, url) ? url.href : text),
    options: { ...config, pool },
    name: config.name ?? database ?? config.user ?? 'postgres',
    target: url?.toString() ?? redact(describeHost(config)),
  }
}

/**
 * Says at once what making a pool would say later.
 *
 * @throws {InvalidOptionError} for an option that cannot be meant; {@link ConnectionStringError} for a bad URL.
 */
export function validateConfig(config: GuardedPoolConfig): void {
  resolveSettings({ options: readConfig(config).options })
}

function requireOneOf(option: string, value: string | undefined, choices: readonly string[]): void {
  if (value === undefined || choices.includes(value)) return
  throw new InvalidOptionError(option, value, `one of ${choices.map((choice) => `'${choice}'`).join(', ')}`)
}

function readText(config: GuardedPoolConfig): string | undefined {
  if ('url' in config && typeof config.url !== 'string') {
    throw new InvalidOptionError(
      'url',
      config.url,
      'a connection string; is the environment variable set that it is read from?',
    )
  }
  if (config.url !== undefined && config.connectionString !== undefined) {
    throw new InvalidOptionError('connectionString', redact(config.connectionString), 'no value where url is given too')
  }
  return config.url ?? config.connectionString
}

/**
 * Whether pg finds in a text what we find in it. Then it gets it as it was written; else, as where a password holds raw
 * special characters, it gets it in the one spelling that all drivers read alike. Sockets have spellings of pg's own.
 */
function pgReadsAlike(text: string, { user, hosts }: ConnectionString): boolean {
  if (/^(socket:|\/)/.test(text)) return true
  if (!URL.canParse(text)) return false
  const { username, hostname } = new URL(text)
  const host = hosts[0]?.host ?? ''
  return username === encodeURIComponent(user ?? '') && [host, `[${host}]`, encodeURIComponent(host)].includes(hostname)
}

/** What stands in the URL under any driver's name (`connection_limit`, `pool_timeout`, `idle_timeout`...) and pg ignores. */
function settingsFromUrl(url: ConnectionString): Partial<PoolSettings> {
  const { max, min, acquireTimeoutMillis, connectTimeoutMillis, idleTimeoutMillis, maxLifetimeMillis } = wishesOf(url)
  return definedOnly({ max, min, acquireTimeoutMillis, connectTimeoutMillis, idleTimeoutMillis, maxLifetimeMillis })
}

/** pg's own names for what poolguard calls otherwise. In pg, 0 means "without end", and null is as good as nothing. */
function settingsFromPg(config: PoolConfig): Partial<PoolSettings> {
  const { max, min, maxUses, maxLifetimeSeconds, idleTimeoutMillis, connectionTimeoutMillis } = config
  const timeout = endless(connectionTimeoutMillis)
  const lifetime = endless(maxLifetimeSeconds)
  return definedOnly({
    max: max || undefined,
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

function definedOnly(settings: { [K in keyof PoolSettings]?: number | undefined }): Partial<PoolSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
}

/** What pg's client gets: not the timeout for connecting, which the engine keeps itself. */
function clientConfig(config: GuardedPoolConfig, connectionString: string | undefined): GuardedPoolConfig {
  const { connectionTimeoutMillis: _kept, url: _read, ...client } = config
  // In a pool's own options pg hides it from such a copy.
  if ('password' in config) client.password = config.password
  return connectionString === undefined ? client : { ...client, connectionString }
}

function describeHost({ host, port, database }: PoolConfig): string {
  return `postgresql://${host ?? 'localhost'}:${port ?? 5432}/${database ?? ''}`
}
