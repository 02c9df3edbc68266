import type { ConnectionString, HostAddress, Parameter } from '../../connection-string/index.ts'
import type { TopologyTraits } from '../../topology/index.ts'
import type { ConnectionSettings, NumericSetting } from '../neutral/connection-settings.ts'
import { wholeSeconds } from '../neutral/durations.ts'
import { type Reading, readConnection } from '../neutral/reading.ts'
import { admitSettings } from '../neutral/server-settings.ts'
import { printStartupOptions } from '../neutral/startup-options.ts'
import type { TlsIntent } from '../neutral/tls-intent.ts'
import type { RewriteWarning, RewrittenUrl } from '../rewriting.ts'
import { enginePoolerFlags } from './pooler-flags.ts'

/** The engine's parameter for each setting; durations are in whole seconds. */
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
 * - `pgbouncer=true` stands exactly where clients share servers and prepared statements are not known to be safe. Where
 *   they are, as on PgBouncer >= 1.21 with max_prepared_statements > 0, it is dropped: prisma/orm#21635. It stays,
 *   whatever the statements, for a `schema` other than public, which the engine would otherwise send as a startup parameter.
 * - `statement_cache_size=0` stands exactly where statements are unsafe though servers are not shared; `pgbouncer=true`
 *   already implies it.
 * - Settings of the server go into `options`, since the engine reads none of them; `verify-full` becomes
 *   `sslaccept=strict`, since the engine takes modes that it does not know for `prefer`.
 * - Of several hosts the first is kept; a Unix socket goes into `host`.
 *
 * @throws {ConnectionStringError} names the parameter that cannot be read.
 * @throws {InvalidOptionError} names the setting that is invalid.
 * @see https://github.com/prisma/prisma-engines/blob/main/quaint/src/connector/postgres/url.rs what the engine reads
 * @example
 * toPrismaEngine(parseConnectionString('postgresql://app@db/orders'), { max: 5, acquireTimeoutMillis: 10_000 }).url.href
 * // 'postgresql://app@db/orders?connection_limit=5&pool_timeout=10'
 */
export function toPrismaEngine(
  connection: ConnectionString,
  settings: ConnectionSettings = {},
  topology?: TopologyTraits,
): RewrittenUrl {
  const reading = readConnection(connection, settings)
  const { target, others } = reading
  const flags = enginePoolerFlags(reading, topology)
  const admitted = admitSettings(reading.serverSettings, target.user, topology)
  const options = printStartupOptions({ settings: admitted.settings, rest: reading.routing })
  const address = engineAddress(target.hosts)
  const tls = engineTls(reading.tls)
  const parameters: Parameter[] = [
    ...address.parameters,
    ...ENGINE_PARAMETERS.flatMap(([setting, name]): Parameter[] => {
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

function pair(name: string, value: string | undefined): Parameter[] {
  return value === undefined ? [] : [[name, value]]
}

function translatedPoolSettings({ urlSettings }: Reading): RewriteWarning[] {
  return urlSettings.flatMap(({ setting, parameter }) => {
    const own = ENGINE_PARAMETERS.find(([known]) => known === setting)?.[1]
    if (parameter === own || own === undefined) return []
    return [
      { code: 'translated', parameter, why: 'the engine of Prisma discards it', instead: `${own} has been written` },
    ]
  })
}

function translatedServerSettings(settings: readonly { parameter: string; name: string }[]): RewriteWarning[] {
  return settings
    .filter(({ parameter, name }) => parameter === name)
    .map(({ parameter }) => ({
      code: 'translated',
      parameter,
      why: 'the engine of Prisma discards settings of the server',
      instead: 'it has been written into options, as -c name=value',
    }))
}

function engineAddress(hosts: readonly HostAddress[]): {
  hosts: readonly HostAddress[]
  parameters: Parameter[]
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
            why: 'the engine of Prisma takes one host, and the whole list for one name',
            instead: 'the first has been kept; give a name that follows the primary',
          },
        ]
  if (!first.host.startsWith('/')) return { hosts: [first], parameters: [], warnings }
  return { hosts: [{ ...first, host: 'localhost' }], parameters: [['host', first.host]], warnings }
}

function engineTls(tls: TlsIntent): { parameters: Parameter[]; warnings: RewriteWarning[]; repairs: RewriteWarning[] } {
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
    const why =
      tls.modeParameter === 'ssl'
        ? 'the engine of Prisma discards it'
        : 'the engine of Prisma takes it for prefer, which verifies nothing'
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
      why: 'the engine of Prisma reads the certificate of a client from a PKCS#12 file only',
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

const DISCARDED = 'the engine of Prisma discards it'
const FALLBACK_NAME = 'fallback_application_name'

function translatedName({ others }: Reading): RewriteWarning[] {
  if (!others.has(FALLBACK_NAME)) return []
  return [
    { code: 'translated', parameter: FALLBACK_NAME, why: DISCARDED, instead: 'application_name has been written' },
  ]
}

/** What the engine reads, and what the pooler flags above handle. */
const READ: ReadonlySet<string> = new Set(['pgbouncer', 'statement_cache_size', 'channel_binding'])

function otherWarnings({ others, settings, target }: Reading): RewriteWarning[] {
  const warnings: RewriteWarning[] = [...others.keys()]
    .filter((parameter) => !READ.has(parameter) && parameter !== FALLBACK_NAME)
    .map((parameter) => ({ code: 'ignored-by-driver', parameter, why: DISCARDED, instead: 'leave it out' }))
  if (settings.min) {
    warnings.push({
      code: 'not-in-this-driver',
      parameter: 'min',
      why: 'the engine of Prisma opens connections only as they are needed',
      instead: 'run a query at the start if the first one must not wait',
    })
  }
  if (target.database !== undefined && encodeURIComponent(target.database) !== target.database) {
    warnings.push({
      code: 'database-name-encoded',
      parameter: 'database',
      why: 'the engine of Prisma does not decode the name of the database',
      instead: 'rename the database, or reach it under an alias of the pooler',
    })
  }
  return warnings
}
