import { DEFAULT_POOL_SETTINGS, type PoolSettings } from '../pool/index.ts'
import type { PoolMode } from '../topology/index.ts'

/** Which fleet a pool is part of. */
export interface FleetOptions {
  /** The same for all instances of the app: letters, digits, `.`, `_` and `-`, 27 at most. */
  readonly app: string
  /** How often an instance looks at the others while it has anything to give or to want. Default: 5 000. */
  readonly intervalMillis?: number
  /**
   * PgBouncer's console, where there is a PgBouncer: a connection string of a user in its `stats_users`, whatever database
   * it names. Default: the address and the user of the pool itself.
   */
  readonly consoleUrl?: string | undefined
  /**
   * Roles beside the pool's own whose connections count as instances, of this app or others; behind PgBouncer, users. Any role
   * can give its connections any name, so without this the connections of other roles only count as in use. Name each
   * other's roles in both apps, as in `trustedRoles: ['bills']`.
   */
  readonly trustedRoles?: readonly string[]
}

/** What a user can say about a pool's settings. */
export interface SettingsOptions {
  /** Settings that are to hold whatever was measured. */
  readonly pool?: Partial<PoolSettings>
  /**
   * How many processes share the database, old and new together during a rolling deploy. Each then takes its equal part
   * of what the database can give; until the first look at the database, one connection.
   */
  readonly instances?: number
  /**
   * Shares what the database can give among all instances of an app, live: no number of them need be known, and what some do
   * not use the others may borrow. Instead of `instances`. Each pool is an instance, and its `application_name` is the
   * fleet's. `pool.min` and `pool.max`, where given, stay its least and its most.
   */
  readonly fleet?: FleetOptions
  /**
   * Connections left free for people, migrations and cron, and in a fleet for newcomers: there 1 at least. Default: 3, or 10 %
   * of what is usable, whichever is more.
   */
  readonly headroom?: number
  /**
   * Other defaults. `serverless`: for functions that are frozen between requests and run in numbers nobody knows, two
   * connections at most and five seconds idle.
   */
  readonly preset?: Preset
  /** What stands between here and PostgreSQL: found out (`auto`, the default), or given. */
  readonly pooler?: 'auto' | 'none' | Exclude<PoolMode, 'statement'>
}

/**
 * The most connections that one pool opens because of what a server or a pooler says. As many as PostgreSQL's default
 * `max_connections` allows in all: one process that needs more is a decision for a person, who sets `pool.max`. Without this
 * bound, a server that claims a million connections would get one for each caller.
 */
export const MAX_DISCOVERED = 100

/** A kind of place to run in that asks for other defaults. */
export type Preset = 'serverless'

/**
 * Where they differ from the defaults.
 *
 * - `max` 2: a transaction, and one query beside it. Each instance of a function brings its own pool, and platforms start
 *   hundreds (https://www.prisma.io/docs/orm/prisma-client/setup-and-configuration/databases-connections#serverless-environments-faas
 *   begins with 1, which a query beside a transaction turns into a deadlock).
 * - `idleTimeoutMillis` 5 000: a frozen function closes nothing, and while it waits to close it is kept alive
 *   (https://vercel.com/blog/the-real-serverless-compute-to-database-connection-problem-solved).
 * - `acquireTimeoutMillis` 5 000: a request that is billed by the millisecond does not wait for long.
 */
export const PRESETS: Readonly<Record<Preset, Partial<PoolSettings>>> = {
  serverless: { max: 2, idleTimeoutMillis: 5_000, acquireTimeoutMillis: 5_000 },
}

/** The defaults under a preset. */
export function defaultsFor(preset: Preset | undefined): PoolSettings {
  return preset === undefined ? DEFAULT_POOL_SETTINGS : { ...DEFAULT_POOL_SETTINGS, ...PRESETS[preset] }
}
