import type { PoolMode } from '../topology/index.ts'
import type { PoolSettings } from './pool-settings.ts'
import type { Preset } from './presets.ts'

/** What a user can say about a pool's settings. */
export interface SettingsOptions {
  /** Settings that are to hold whatever was measured. */
  readonly pool?: Partial<PoolSettings>
  /**
   * How many processes share the database, old and new together during a rolling deploy. Each then takes its equal part
   * of what the database can give; until the first look at the database, one connection.
   */
  readonly instances?: number
  /** Connections left free for people, migrations and cron. Default: 3, or 10 % of what is usable, whichever is more. */
  readonly headroom?: number
  /**
   * Other defaults. `serverless`: for functions that are frozen between requests and run in numbers nobody knows, two
   * connections at most and five seconds idle.
   */
  readonly preset?: Preset
  /** What stands between here and PostgreSQL: found out (`auto`, the default), or given. */
  readonly pooler?: 'auto' | 'none' | Exclude<PoolMode, 'statement'>
}
