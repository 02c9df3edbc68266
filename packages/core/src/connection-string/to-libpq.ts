import type { ConnectionString, Parameter } from './connection-string.ts'
import type { ConnectionWishes } from './connection-wishes.ts'
import { readConnection } from './reading.ts'
import type { RewriteWarning } from './rewrite-warning.ts'
import type { RewrittenUrl } from './rewritten-url.ts'
import { wholeSeconds } from './seconds.ts'
import { admitSettings, searchPath } from './server-settings.ts'
import { printStartupOptions } from './startup-options.ts'
import type { TlsIntent } from './tls-intent.ts'
import type { TopologyTraits } from './topology-traits.ts'

/** libpq's keywords besides those that are read elsewhere: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS */
const KEYWORDS: ReadonlySet<string> = new Set([
  'hostaddr',
  'passfile',
  'require_auth',
  'channel_binding',
  'client_encoding',
  'fallback_application_name',
  'keepalives',
  'keepalives_idle',
  'keepalives_interval',
  'keepalives_count',
  'tcp_user_timeout',
  'replication',
  'gssencmode',
  'sslcompression',
  'sslcertmode',
  'sslcrl',
  'sslcrldir',
  'sslsni',
  'requirepeer',
  'ssl_min_protocol_version',
  'ssl_max_protocol_version',
  'min_protocol_version',
  'max_protocol_version',
  'krbsrvname',
  'gsslib',
  'gssdelegation',
  'service',
  'target_session_attrs',
  'load_balance_hosts',
  'scram_client_key',
  'scram_server_key',
  'oauth_issuer',
  'oauth_client_id',
  'oauth_client_secret',
  'oauth_scope',
])

const STOPS = 'libpq stops at it (invalid URI query parameter)'

/**
 * Writes the URL for libpq: psql, pg_dump and what else is built on it. Parameters of other drivers are removed, since
 * libpq stops at the first that it does not know; settings of the server and Prisma's `schema` go into `options`. Wishes
 * for a pool have no meaning for one connection and are left out without a word.
 *
 * @throws {ConnectionStringError} names the parameter that cannot be read.
 * @throws {InvalidOptionError} names the wish that cannot be meant.
 * @example
 * toLibpq(parseConnectionString('postgresql://app@db/orders?connection_limit=5&connect_timeout=3')).url.href
 * // 'postgresql://app@db/orders?connect_timeout=3'
 */
export function toLibpq(
  connection: ConnectionString,
  wishes: ConnectionWishes = {},
  topology?: TopologyTraits,
): RewrittenUrl {
  const reading = readConnection(connection, wishes)
  const { target, others, schema } = reading
  const admitted = admitSettings([...reading.settings, ...searchPath(schema, reading.settings)], target.user, topology)
  const options = printStartupOptions({ settings: admitted.settings, rest: reading.routing })
  const tls = libpqTls(reading.tls)
  const connect = reading.wishes.connectTimeoutMillis
  const parameters: Parameter[] = [
    ...pair('connect_timeout', connect === undefined ? undefined : String(wholeSeconds(connect))),
    ...pair('application_name', reading.wishes.applicationName),
    ...tls.parameters,
    ...[...others].filter(([name]) => KEYWORDS.has(name)),
    ...pair('options', options),
  ]
  const removed: RewriteWarning[] = [...reading.written.map(({ parameter }) => parameter), ...others.keys()]
    .filter((parameter) => parameter !== 'connect_timeout' && !KEYWORDS.has(parameter))
    .map((parameter) => ({ code: 'refused-by-driver', parameter, why: STOPS, instead: 'it has been removed' }))
  return {
    url: target.with({ parameters }),
    warnings: [
      ...reading.warnings,
      ...removed,
      ...intoOptions(admitted.settings),
      ...admitted.warnings,
      ...tls.warnings,
    ],
  }
}

function pair(name: string, value: string | undefined): Parameter[] {
  return value === undefined ? [] : [[name, value]]
}

function intoOptions(settings: readonly { name: string; parameter: string }[]): RewriteWarning[] {
  return settings
    .filter(({ name, parameter }) => name === parameter || parameter === 'schema')
    .map(({ parameter }) => ({
      code: 'translated',
      parameter,
      why: STOPS,
      instead: parameter === 'schema' ? 'it is the search_path in options now' : 'it has been written into options',
    }))
}

function libpqTls(tls: TlsIntent): { parameters: Parameter[]; warnings: RewriteWarning[] } {
  const mode = tls.accept === 'strict' ? 'verify-full' : tls.mode === 'no-verify' ? 'require' : tls.mode
  const warnings: RewriteWarning[] = []
  if (mode !== tls.mode || tls.modeParameter === 'ssl') {
    const parameter = tls.accept === 'strict' ? 'sslaccept' : (tls.modeParameter ?? 'sslmode')
    const why = tls.mode === 'no-verify' ? 'libpq does not know no-verify' : STOPS
    warnings.push({ code: 'translated', parameter, why, instead: `sslmode=${mode} has been written` })
  }
  if (tls.identity !== undefined) {
    const instead = 'take certificate and key out of it (openssl pkcs12), and write sslcert and sslkey'
    warnings.push({ code: 'refused-by-driver', parameter: 'sslidentity', why: STOPS, instead })
  }
  return {
    parameters: [
      ...pair('sslmode', mode),
      ...pair('sslrootcert', tls.rootCertificate),
      ...pair('sslcert', tls.certificate),
      ...pair('sslkey', tls.key),
      ...pair('sslpassword', tls.identity === undefined ? tls.passphrase : undefined),
      ...pair('sslnegotiation', tls.negotiation),
    ],
    warnings,
  }
}
