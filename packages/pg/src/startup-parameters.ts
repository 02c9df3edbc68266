import type { ClientConfig } from 'pg'

/** What pg sends at login and a pooler cannot keep apart for each client, by the names that pg and URLs give it. */
export const STARTUP_PARAMETERS = [
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

/** The same configuration without them, and the names of those that were there. */
export function withoutStartupParameters<T extends ClientConfig>(config: T): { config: T; dropped: readonly string[] } {
  const dropped = STARTUP_PARAMETERS.filter((name) => config[name])
  const kept = { ...config }
  for (const name of STARTUP_PARAMETERS) delete kept[name]
  return { config: kept, dropped }
}
