import type { ConnectionString, HostAddress, UrlParameter } from '../../connection-string/index.ts'
import type { DriverContext } from '../driver-context.ts'
import type { ConnectionSettings, NumericSetting } from '../neutral/connection-settings.ts'
import { wholeSeconds } from '../neutral/durations.ts'
import { type Reading, readConnection } from '../neutral/reading.ts'
import { admitSettings } from '../neutral/server-settings.ts'
import { printStartupOptions } from '../neutral/startup-options.ts'
import type { TlsIntent } from '../neutral/tls-intent.ts'
import type { RewriteWarning, RewrittenUrl } from '../rewriting.ts'
import { enginePoolerFlags } from './pooler-flags.ts'

/** The engine's parameter for each setting. Durations are in whole seconds. */
const ENGINE_PARAMETERS: readonly (readonly [setting: NumericSetting, parameter: string])[] = [
  ['max', 'connection_limit'],
  ['acquireTimeoutMillis', 'pool_timeout'],
  ['connectTimeoutMillis', 'connect_timeout'],
  ['queryTimeoutMillis', 'socket_timeout'],
  ['idleTimeoutMillis', 'max_idle_connection_lifetime'],
  ['maxLifetimeMillis', 'max_connection_lifetime'],
]

/**
 * Rewrites a URL for the Rust engine of Prisma 5 and 6. (Prisma 7 uses pg: `toPg`.)
 *
 * - Settings become `connection_limit`, `pool_timeout`, `connect_timeout`, `socket_timeout` and the two lifetimes, in
 *   seconds, rounded up.
 * - `pgbouncer=true` is written if clients share servers and prepared statements are not known to be safe. If they are safe, as on
 *   PgBouncer >= 1.21 with max_prepared_statements > 0, it is removed: prisma/orm#21635. It is also written for a `schema`
 *   other than public behind a pooler, because the engine would otherwise send the schema as a startup parameter.
 * - `statement_cache_size=0` is written if prepared statements are unsafe although clients do not share servers. `pgbouncer=true`
 *   already implies it.
 * - Server settings go into `options`, because the engine ignores them as parameters. `verify-full` becomes `sslaccept=strict`,
 *   because the engine treats unknown modes as `prefer`.
 * - The first of several hosts is kept. A Unix socket goes into `host`.
 *
 * @throws {ConnectionStringError} if a parameter is invalid; names the parameter.
 * @throws {InvalidOptionError} if a setting is invalid; names the setting.
 * @see https://github.com/prisma/prisma-engines/blob/main/quaint/src/connector/postgres/url.rs for the engine's parameters
 * @example
 * toPrismaEngine(parseConnectionString('postgresql://app@db/orders'), { max: 5, acquireTimeoutMillis: 10_000 }).url.href
 * // 'postgresql://app@db/orders?connection_limit=5&pool_timeout=10'
 */
export function toPrismaEngine(
  connection: ConnectionString,
  settings: ConnectionSettings = {},
  { topology }: Pick<DriverContext, 'topology'> = {},
): RewrittenUrl {
  const reading = readConnection(connection, settings)
  const { target, others } = reading
  const flags = enginePoolerFlags(reading, topology)
  const admitted = admitSettings(reading.serverSettings, target.user, topology)
  const options = printStartupOptions({ settings: admitted.settings, rest: reading.routing })
  const address = engineAddress(target.hosts)
  const tls = engineTls(reading.tls)
  const parameters: UrlParameter[] = [
    ...address.parameters,
    ...ENGINE_PARAMETERS.flatMap(([setting, name]): UrlParameter[] => {
      const value = reading.settings[setting]
      return value === undefined ? [] : [[name, String(setting === 'max' ? value : wholeSeconds(value))]]
    }),
    ...flags.parameters,
    ...pair('application_name', reading.settings.applicationName ?? others.get('fallback_application_name')),
    ...tls.parameters,
    ...pair('channel_binding', others.get('channel_binding')),
    ...pair('options', options),
  ]
  return {
    url: target.with({ hosts: address.hosts, parameters }),
    repairs: [
      ...reading.overridden,
      ...translatedPoolSettings(reading),
      ...translatedServerSettings(admitted.settings),
      ...translatedName(reading),
      ...tls.repairs,
    ],
    warnings: [
      ...admitted.warnings,
      ...flags.warnings,
      ...address.warnings,
      ...tls.warnings,
      ...otherWarnings(reading),
    ],
  }
}

function pair(name: string, value: string | undefined): UrlParameter[] {
  return value === undefined ? [] : [[name, value]]
}

function translatedPoolSettings({ urlSettings }: Reading): RewriteWarning[] {
  return urlSettings.flatMap(({ setting, parameter }) => {
    const translation = ENGINE_PARAMETERS.find(([known]) => known === setting)?.[1]
    if (parameter === translation || translation === undefined) return []
    return [{ code: 'translated', parameter, why: IGNORED, instead: `${translation} has been written` }]
  })
}

function translatedServerSettings(settings: readonly { parameter: string; name: string }[]): RewriteWarning[] {
  return settings
    .filter(({ parameter, name }) => parameter === name)
    .map(({ parameter }) => ({
      code: 'translated',
      parameter,
      why: "Prisma's engine ignores server settings in a URL",
      instead: 'it has been written into options, as -c name=value',
    }))
}

function engineAddress(hosts: readonly HostAddress[]): {
  hosts: readonly HostAddress[]
  parameters: UrlParameter[]
  warnings: RewriteWarning[]
} {
  const first = hosts[0] ?? { host: 'localhost' }
  const warnings: RewriteWarning[] =
    hosts.length < 2
      ? []
      : [
          {
            code: 'one-host-only',
            parameter: 'host',
            why: "Prisma's engine supports one host, and treats the list as one name",
            instead: 'the first host has been kept; use a host name that follows the primary',
          },
        ]
  if (!first.host.startsWith('/'))
    return { hosts: [{ ...first, host: first.host || 'localhost' }], parameters: [], warnings }
  return { hosts: [{ ...first, host: 'localhost' }], parameters: [['host', first.host]], warnings }
}

function engineTls(tls: TlsIntent): {
  parameters: UrlParameter[]
  warnings: RewriteWarning[]
  repairs: RewriteWarning[]
} {
  const { mode, accept, rootCertificate, identity, passphrase, certificate, key } = tls
  const verified =
    mode === 'verify-ca' || mode === 'verify-full' || (mode === 'require' && tls.rootParameter === 'sslrootcert')
  const strictness = accept ?? (verified ? 'strict' : mode === 'no-verify' ? 'accept_invalid_certs' : undefined)
  const written =
    mode === undefined
      ? undefined
      : mode === 'disable' || mode === 'require'
        ? mode
        : mode === 'prefer' || mode === 'allow'
          ? 'prefer'
          : 'require'
  const warnings: RewriteWarning[] = []
  const repairs: RewriteWarning[] = []
  if (mode !== written || tls.modeParameter === 'ssl') {
    const why = tls.modeParameter === 'ssl' ? IGNORED : "Prisma's engine treats it as prefer, which verifies nothing"
    repairs.push({
      code: 'translated',
      parameter: tls.modeParameter ?? 'sslmode',
      why,
      instead: `sslmode=${written}${strictness ? ` and sslaccept=${strictness}` : ''} has been written`,
    })
  }
  if (certificate ?? key) {
    warnings.push({
      code: 'ignored-by-driver',
      parameter: 'sslcert',
      why: "Prisma's engine reads a client certificate only from a PKCS#12 file",
      instead: 'convert it (openssl pkcs12 -export) and write sslidentity=client.p12',
    })
  }
  return {
    parameters: [
      ...pair('sslmode', written),
      ...pair('sslaccept', strictness),
      ...pair('sslcert', rootCertificate === 'system' ? undefined : rootCertificate),
      ...pair('sslidentity', identity),
      ...pair('sslpassword', identity === undefined ? undefined : passphrase),
    ],
    warnings,
    repairs,
  }
}

const IGNORED = "Prisma's engine ignores it"
const FALLBACK_NAME = 'fallback_application_name'

function translatedName({ others }: Reading): RewriteWarning[] {
  if (!others.has(FALLBACK_NAME)) return []
  return [{ code: 'translated', parameter: FALLBACK_NAME, why: IGNORED, instead: 'application_name has been written' }]
}

/** Parameters that the engine reads or that `enginePoolerFlags` handles. */
const READ: ReadonlySet<string> = new Set(['pgbouncer', 'statement_cache_size', 'channel_binding'])

function otherWarnings({ others, settings, target }: Reading): RewriteWarning[] {
  const warnings: RewriteWarning[] = [...others.keys()]
    .filter((parameter) => !READ.has(parameter) && parameter !== FALLBACK_NAME)
    .map((parameter) => ({ code: 'ignored-by-driver', parameter, why: IGNORED, instead: 'leave it out' }))
  if (settings.min) {
    warnings.push({
      code: 'not-in-this-driver',
      parameter: 'min',
      why: "Prisma's engine opens connections only on demand",
      instead: 'run a query at startup if the first request must not wait for a connection',
    })
  }
  if (target.database !== undefined && encodeURIComponent(target.database) !== target.database) {
    warnings.push({
      code: 'database-name-encoded',
      parameter: 'database',
      why: "Prisma's engine does not decode the name of the database",
      instead: 'rename the database, or use an alias in the pooler',
    })
  }
  return warnings
}
