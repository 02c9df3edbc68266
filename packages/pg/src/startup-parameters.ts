import { type ConnectionString, parseConnectionString } from '@poolguard/core'
import type { GuardedPoolConfig } from './guarded-pool-config.ts'

/** What pg sends at login and a pooler cannot keep apart for each client, by the names that pg and URLs give it. */
const STARTUP_PARAMETERS = [
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'options',
] as const

/** PgBouncer's answer to one that `ignore_startup_parameters` does not list: 08P01, and only the text tells. */
export function isRefusedStartupParameter(error: unknown): boolean {
  const { code, message } = error as { code?: unknown; message?: unknown }
  return code === '08P01' && typeof message === 'string' && message.includes('unsupported startup parameter')
}

/** A connection string without them. */
export function withoutStartupParametersIn(url: ConnectionString): ConnectionString {
  return url.without(...STARTUP_PARAMETERS)
}

/** The same configuration without them, and the names of those that were there. */
export function withoutStartupParameters(config: GuardedPoolConfig): {
  config: GuardedPoolConfig
  dropped: readonly string[]
} {
  const url = config.connectionString === undefined ? undefined : parseConnectionString(config.connectionString)
  const dropped = STARTUP_PARAMETERS.filter((name) => config[name] || url?.parameter(name) !== undefined)
  const kept: GuardedPoolConfig = { ...config }
  for (const name of STARTUP_PARAMETERS) delete kept[name]
  if (url) kept.connectionString = withoutStartupParametersIn(url).href
  return { config: kept, dropped }
}
