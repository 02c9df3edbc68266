import type { PoolMode } from '../topology/index.ts'
import type { PoolSettings } from './pool-settings.ts'
import type { Preset } from './presets.ts'

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
