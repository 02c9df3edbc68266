import { SECRET_PARAMETERS } from '../redact.ts'
import type { UrlParameter } from './connection-string-parts.ts'

/** Parameters whose value is a number, a boolean, a keyword or a plain name. Others, such as `options`, may contain anything. */
export const HARMLESS_PARAMETERS: ReadonlySet<string> = new Set([
  ...['sslmode', 'sslnegotiation', 'sslaccept', 'channel_binding', 'gssencmode', 'uselibpqcompat', 'ssl'],
  ...['host', 'port', 'user', 'dbname', 'target_session_attrs', 'load_balance_hosts', 'replication', 'schema'],
  ...['application_name', 'fallback_application_name', 'client_encoding', 'pgbouncer', 'prepare'],
  ...['connection_limit', 'pool_timeout', 'connect_timeout', 'socket_timeout', 'query_timeout', 'max', 'min'],
  ...['max_idle_connection_lifetime', 'max_connection_lifetime', 'idle_timeout', 'max_lifetime', 'maxLifetimeSeconds'],
  ...['connectionTimeoutMillis', 'idleTimeoutMillis', 'keepalives', 'keepalives_idle', 'workaround', 'supa', 'db'],
  ...['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout', 'search_path'],
  'statement_cache_size',
])

/** Known parameters whose values may contain anything, such as files and settings. */
const OPEN_PARAMETERS: ReadonlySet<string> = new Set([
  ...[
    'options',
    'hostaddr',
    'passfile',
    'service',
    'servicefile',
    'require_auth',
    'krbsrvname',
    'gsslib',
    'requirepeer',
  ],
  ...['sslrootcert', 'sslcert', 'sslkey', 'sslidentity', 'sslcrl', 'sslcrldir', 'sslsni', 'sslcompression'],
  ...['encoding', 'keep_alive', 'keepalives_interval', 'keepalives_count', 'tcp_user_timeout'],
])

export function isKnownParameter(name: string): boolean {
  return HARMLESS_PARAMETERS.has(name) || SECRET_PARAMETERS.has(name) || OPEN_PARAMETERS.has(name)
}

/** Whether an unknown parameter follows a secret one: it may be the rest of a password with an unencoded `&`. */
export function isTailOfSecret(parameters: readonly UrlParameter[], index: number): boolean {
  for (let at = index; at > 0; at--) {
    const [name = ''] = parameters[at] ?? []
    if (isKnownParameter(name)) return false
    const [before = ''] = parameters[at - 1] ?? []
    if (SECRET_PARAMETERS.has(before)) return true
  }
  return false
}
