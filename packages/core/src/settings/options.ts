import { DEFAULT_POOL_SETTINGS, type LanesOptions, type PoolSettings } from '../pool/index.ts'
import type { PoolMode } from '../topology/index.ts'

/** The fleet that a pool belongs to. */
export interface FleetOptions {
  /** Name of the app, the same for all its instances: up to 27 letters, digits, `.`, `_` and `-`. */
  readonly app: string
  /**
   * Finds how many connections in use, of all instances together, make the server complete the most work, and divides them. Every 15
   * seconds all instances compare two numbers at the same times, by their clocks, which must agree to some hundredths of a second. It
   * begins with 2 x `pool.serverCores` + 1. The name of the app may have up to 16 characters then.
   */
  readonly adaptive?: boolean
  /** How often an instance exchanges its figures with the other instances while its share may change. Default: 5 000. */
  readonly intervalMillis?: number
  /**
   * Connection string for PgBouncer's console, if a PgBouncer is in front of the server; the database name in it is ignored. The
   * user must be in `stats_users`. Default: the address and the user of the pool itself.
   */
  readonly consoleUrl?: string | undefined
  /**
   * Additional roles (behind PgBouncer: users) whose connections count as instances, of this app or of others. Any role can
   * give its connections any name, so by default connections of other roles only count as in use. To share between two apps,
   * name the other app's role in both of them, as in `trustedRoles: ['bills']`. On a server itself, direct members of these roles are
   * trusted, too: short-lived roles, as those of Vault, need one common role.
   */
  readonly trustedRoles?: readonly string[]
}

/** The options that determine a pool's settings. */
export interface SettingsOptions {
  /** Settings that take precedence over discovered limits and defaults. */
  readonly pool?: Partial<PoolSettings>
  /**
   * Divides the pool's connections among several kinds of work, such as requests and jobs, so that a flood of one does not hold up the
   * others. Each lane has its own line, its own order during an overload, and its own `maxWaiters`. Callers choose a lane with
   * `runInLane`; the others are in the lane `default`.
   */
  readonly lanes?: LanesOptions | undefined
  /**
   * How many processes share the database, including old and new ones during a rolling deploy. Each process gets an equal
   * part of the connections that the database allows, and one connection until the pool has discovered that limit.
   */
  readonly instances?: number
  /**
   * Shares the connections that the database allows among all running instances of an app. You do not need to know how many
   * instances run, and instances borrow connections that others do not use. Use it instead of `instances`. Each pool is an
   * instance, and the fleet sets its `application_name`. `pool.min` and `pool.max` still bound the share.
   */
  readonly fleet?: FleetOptions
  /**
   * Connections left free for administrators, migrations and cron jobs, and in a fleet also for new instances (at least 1).
   * Default: 3, or 10 % of the usable connections, whichever is more.
   */
  readonly headroom?: number
  /**
   * A different set of defaults. `serverless` is for functions that the platform freezes between requests and starts in
   * unknown numbers: at most two connections, closed after five idle seconds.
   */
  readonly preset?: Preset
  /** The pooler between the pool and PostgreSQL: detected (`auto`, the default) or stated. */
  readonly pooler?: 'auto' | 'none' | Exclude<PoolMode, 'statement'>
}

/**
 * Upper bound on the `max` that a pool derives from the limits of a server or pooler: PostgreSQL's default
 * `max_connections`. If one process needs more, set `pool.max`. Without this bound, a server that reports a million
 * connections would get one for each caller.
 */
export const MAX_DISCOVERED = 100

/** An environment with its own defaults. */
export type Preset = 'serverless'

/**
 * The settings of each preset that differ from the defaults.
 *
 * - `max` 2: a transaction, and one query next to it. Each instance of a function has its own pool, and platforms start
 *   hundreds (https://www.prisma.io/docs/orm/prisma-client/setup-and-configuration/databases-connections#serverless-environments-faas
 *   starts with 1, which deadlocks if a transaction's callback also queries the pool).
 * - `idleTimeoutMillis` 5 000: a frozen function closes no connection, and waiting for the idle timeout keeps it running
 *   (https://vercel.com/blog/the-real-serverless-compute-to-database-connection-problem-solved).
 * - `acquireTimeoutMillis` 5 000: a request billed by the millisecond must not wait long.
 */
export const PRESETS: Readonly<Record<Preset, Partial<PoolSettings>>> = {
  serverless: { max: 2, idleTimeoutMillis: 5_000, acquireTimeoutMillis: 5_000 },
}

/** The default settings, with those of the preset. */
export function defaultsFor(preset: Preset | undefined): PoolSettings {
  return preset === undefined ? DEFAULT_POOL_SETTINGS : { ...DEFAULT_POOL_SETTINGS, ...PRESETS[preset] }
}
