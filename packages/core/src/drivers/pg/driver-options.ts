import { omitUndefined } from '../../omit-undefined.ts'
import type { DriverContext } from '../driver-context.ts'
import { serverDurationMillis, wholeMillis } from '../neutral/durations.ts'
import { hideSecrets } from '../neutral/hide-secrets.ts'
import type { Reading } from '../neutral/reading.ts'
import { admitSettings, searchPath } from '../neutral/server-settings.ts'
import { printStartupOptions, type ServerSetting } from '../neutral/startup-options.ts'
import type { TlsOptions } from '../neutral/tls-options.ts'
import type { RewritingReport } from '../rewriting.ts'
import { socketOptions } from './socket-parameters.ts'
import { pgTls } from './tls.ts'
import { ignoredParameters, translatedParameters } from './warnings.ts'

/** Options of pg's `Client`, with pg's names and units. */
export interface PgDriverOptions {
  host?: string
  port?: number
  user?: string
  password?: string
  database?: string
  ssl?: boolean | TlsOptions
  sslnegotiation?: string
  enableChannelBinding?: boolean
  application_name?: string
  fallback_application_name?: string
  options?: string
  replication?: string
  /** Milliseconds, like the other timeouts here; 0 means no limit. */
  statement_timeout?: number
  lock_timeout?: number
  idle_in_transaction_session_timeout?: number
  query_timeout?: number
  keepAlive?: boolean
  keepAliveInitialDelayMillis?: number
}

/** A connection string rewritten for pg's `Client`. */
export interface PgDriverRewriting extends RewritingReport {
  /** Contains the password, but hides it from console.log and JSON.stringify. */
  readonly options: PgDriverOptions
  /** Prisma's `schema`, an option of Prisma's adapter and not of pg. The options set it as the search_path, too. */
  readonly schema?: string
}

const TIMEOUTS = ['statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout'] as const

/** Rewrites a connection string for pg's `Client`, without the options of the pool: see `poolSettings`. */
export function pgDriverOptions(reading: Reading, context: DriverContext = {}): PgDriverRewriting {
  const { target, others, schema, serverSettings, settings } = reading
  const tls = pgTls(reading.tls, context)
  const admitted = admitSettings(
    [...serverSettings, ...searchPath(schema, serverSettings)],
    target.user,
    context.topology,
  )
  const timeouts = pgTimeouts(admitted.settings)
  const startup = printStartupOptions({
    settings: admitted.settings.filter(({ name }) => !Object.hasOwn(timeouts, name)),
    rest: reading.routing,
  })
  const host = target.hosts[0]
  const query = settings.queryTimeoutMillis
  const options: PgDriverOptions = omitUndefined({
    host: host?.host === '' ? undefined : host?.host,
    port: host?.port,
    user: target.user,
    password: target.password,
    database: target.database,
    ssl: tls.ssl,
    sslnegotiation: tls.ssl ? reading.tls.negotiation : undefined,
    application_name: settings.applicationName,
    fallback_application_name: others.get('fallback_application_name'),
    options: startup,
    replication: others.get('replication'),
    ...timeouts,
    query_timeout: query === undefined ? undefined : wholeMillis(query),
    ...socketOptions(others),
  })
  return {
    options: hideSecrets(options),
    ...(schema !== undefined && { schema }),
    warnings: [...ignoredParameters(reading, context.choosesHost), ...admitted.warnings, ...tls.warnings],
    repairs: translatedParameters(reading, admitted.settings),
  }
}

/** Converts timeouts to milliseconds, because pg drops their unit. A value that is not a duration is sent to the server as is. */
function pgTimeouts(settings: readonly ServerSetting[]): Partial<Record<(typeof TIMEOUTS)[number], number>> {
  return Object.fromEntries(
    TIMEOUTS.flatMap((name) => {
      const value = settings.find((setting) => setting.name === name)?.value
      const millis = value === undefined ? undefined : serverDurationMillis(value)
      return millis === undefined ? [] : [[name, millis]]
    }),
  )
}
