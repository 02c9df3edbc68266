import type { TopologyTraits } from '../../topology/index.ts'
import type { RewriteWarning } from '../rewriting.ts'
import type { ServerSetting } from './startup-options.ts'

/**
 * Server settings that users put into a URL: settings for a session's behaviour
 * (https://www.postgresql.org/docs/current/runtime-config-client.html), case-insensitive.
 */
const SETTINGS: ReadonlySet<string> = new Set([
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'idle_session_timeout',
  'transaction_timeout',
  'search_path',
  'timezone',
  'datestyle',
  'intervalstyle',
  'work_mem',
  'maintenance_work_mem',
  'temp_buffers',
  'jit',
  'plan_cache_mode',
  'random_page_cost',
  'effective_cache_size',
  'max_parallel_workers_per_gather',
  'default_transaction_isolation',
  'default_transaction_read_only',
  'default_transaction_deferrable',
  'synchronous_commit',
  'row_security',
  'role',
  'session_replication_role',
  'extra_float_digits',
  'standard_conforming_strings',
  'bytea_output',
  'client_min_messages',
  'client_connection_check_interval',
])

/** Whether a parameter is a setting of the server or of an extension (`myext.level`). */
export function isServerSetting(name: string): boolean {
  return SETTINGS.has(name.toLowerCase()) || /^[a-z_]\w*\.\w+$/i.test(name)
}

/** The search_path for Prisma's `schema`, unless the URL sets a search_path. */
export function searchPath(schema: string | undefined, settings: readonly ServerSetting[]): ServerSetting[] {
  if (schema === undefined || settings.some(({ name }) => name.toLowerCase() === 'search_path')) return []
  return [{ name: 'search_path', value: `"${schema.replaceAll('"', '""')}"`, parameter: 'schema' }]
}

/** The settings that PgBouncer tracks in every version: https://www.pgbouncer.org/config.html#ignore_startup_parameters */
const TRACKED_BY_POOLERS: ReadonlySet<string> = new Set([
  'client_encoding',
  'datestyle',
  'timezone',
  'standard_conforming_strings',
  'application_name',
])

/** The last setting of each name, without the settings that a pooler rejects as startup parameters. */
export interface AdmittedSettings {
  readonly settings: readonly ServerSetting[]
  readonly warnings: readonly RewriteWarning[]
}

/** Removes the settings that the pooler would reject, and produces a warning that names the alternative. */
export function admitSettings(
  settings: readonly ServerSetting[],
  role: string | undefined,
  topology: TopologyTraits | undefined,
): AdmittedSettings {
  const last = [...new Map(settings.map((setting) => [setting.name.toLowerCase(), setting])).values()]
  if (!topology?.refusesStartupParameters) return { settings: last, warnings: [] }
  const rejected = last.filter(({ name }) => !TRACKED_BY_POOLERS.has(name.toLowerCase()))
  return {
    settings: last.filter((setting) => !rejected.includes(setting)),
    warnings: rejected.map(({ name, parameter, value }) => ({
      code: 'refused-by-pooler',
      parameter,
      why: `the pooler rejects the startup parameter ${name} (08P01 unsupported startup parameter), and does not keep a SET for this client`,
      instead: `set it on the server with ALTER ROLE ${quoteIdentifier(role ?? 'app')} SET ${name} = ${shown(value)}, or use SET LOCAL ${name} in a transaction; PgBouncer's ignore_startup_parameters only drops the setting`,
    })),
  }
}

/** Shows only numbers and durations: another value may be a piece of a password that the parser misread. */
function shown(value: string): string {
  return /^\d{1,12}\s?(us|ms|s|min|h|d)?$/.test(value) ? `'${value}'` : '...'
}

function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
