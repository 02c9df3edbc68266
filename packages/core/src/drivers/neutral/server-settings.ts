import type { TopologyTraits } from '../../topology/index.ts'
import type { RewriteWarning } from '../rewriting.ts'
import type { ServerSetting } from './startup-options.ts'

/**
 * Settings that people put into a URL for the server to have: those about a session's behaviour
 * (https://www.postgresql.org/docs/current/runtime-config-client.html), compared without case.
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

/** Whether a parameter names a setting of the server, or of an extension (`myext.level`). */
export function isServerSetting(name: string): boolean {
  return SETTINGS.has(name.toLowerCase()) || /^[a-z_]\w*\.\w+$/i.test(name)
}

/** The search_path that Prisma's `schema` asks for, unless the URL sets one itself. */
export function searchPath(schema: string | undefined, settings: readonly ServerSetting[]): ServerSetting[] {
  if (schema === undefined || settings.some(({ name }) => name.toLowerCase() === 'search_path')) return []
  return [{ name: 'search_path', value: `"${schema.replaceAll('"', '""')}"`, parameter: 'schema' }]
}

/** What PgBouncer keeps track of in every version: https://www.pgbouncer.org/config.html#ignore_startup_parameters */
const TRACKED_BY_POOLERS: ReadonlySet<string> = new Set([
  'client_encoding',
  'datestyle',
  'timezone',
  'standard_conforming_strings',
  'application_name',
])

/** Settings of which only the last of a name is left, and without those that a pooler refuses at the start of a connection. */
export interface AdmittedSettings {
  readonly settings: readonly ServerSetting[]
  readonly warnings: readonly RewriteWarning[]
}

/** Takes out the settings that the pooler would refuse, and says what to set on the server instead. */
export function admitSettings(
  settings: readonly ServerSetting[],
  role: string | undefined,
  topology: TopologyTraits | undefined,
): AdmittedSettings {
  const last = [...new Map(settings.map((setting) => [setting.name.toLowerCase(), setting])).values()]
  if (!topology?.refusesStartupParameters) return { settings: last, warnings: [] }
  const refused = last.filter(({ name }) => !TRACKED_BY_POOLERS.has(name.toLowerCase()))
  return {
    settings: last.filter((setting) => !refused.includes(setting)),
    warnings: refused.map(({ name, parameter, value }) => ({
      code: 'refused-by-pooler',
      parameter,
      why: `a pooler refuses ${name} when a connection starts (08P01 unsupported startup parameter), and would not keep a SET of it for this client`,
      instead: `set it once on the server, ALTER ROLE ${quoteIdentifier(role ?? 'app')} SET ${name} = ${shown(value)}, or SET LOCAL ${name} in a transaction; ignore_startup_parameters of PgBouncer only hides it`,
    })),
  }
}

/** Numbers may be shown; anything else could be a piece of a password that has misled the parser. */
function shown(value: string): string {
  return /^\d{1,12}\s?(us|ms|s|min|h|d)?$/.test(value) ? `'${value}'` : '...'
}

function quoteIdentifier(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`
}
