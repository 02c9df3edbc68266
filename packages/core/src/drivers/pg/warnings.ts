import type { NumericSetting } from '../neutral/connection-settings.ts'
import { POOL_PARAMETERS } from '../neutral/pool-parameters.ts'
import type { Reading } from '../neutral/reading.ts'
import type { ServerSetting } from '../neutral/startup-options.ts'
import type { RewriteWarning } from '../rewriting.ts'
import { socketParameter } from './socket-parameters.ts'

/** pg's option for each setting. */
const PG_OPTIONS: Partial<Record<NumericSetting, string>> = {
  max: 'max',
  min: 'min',
  acquireTimeoutMillis: 'connectionTimeoutMillis',
  connectTimeoutMillis: 'connectionTimeoutMillis',
  idleTimeoutMillis: 'idleTimeoutMillis',
  maxLifetimeMillis: 'maxLifetimeSeconds',
  queryTimeoutMillis: 'query_timeout',
}

/** Parameters that pg itself reads from a URL; see https://node-postgres.com/features/connecting#connection-uri. */
const READ: ReadonlySet<string> = new Set([
  'query_timeout',
  'statement_timeout',
  'lock_timeout',
  'idle_in_transaction_session_timeout',
  'fallback_application_name',
  'replication',
])

const WHY = 'pg does not read it from a URL'

function translated(parameter: string, instead: string): RewriteWarning {
  return { code: 'translated', parameter, why: WHY, instead }
}

/** Warnings about URL parameters that pg would ignore, but has an option for. */
export function translatedParameters(
  { others, schema }: Reading,
  serverSettings: readonly ServerSetting[],
): RewriteWarning[] {
  const settings = serverSettings
    .filter(({ name, parameter }) => parameter === name && !READ.has(name))
    .map(({ parameter }) => translated(parameter, 'it has been written into options, as -c name=value'))
  const prismaSchema =
    schema === undefined ? [] : [translated('schema', "pass it to Prisma 7's adapter: new PrismaPg(pool, { schema })")]
  const withOption = [...others].flatMap(([name, value]) => {
    const instead = socketParameter(name, value)?.instead
    return instead === undefined ? [] : [translated(name, instead)]
  })
  return [...settings, ...prismaSchema, ...withOption]
}

/** Warnings about URL parameters that pg.Pool would ignore: the rewriting sets the options of the pool. */
export function translatedPoolSettings({ urlSettings, settings }: Reading): RewriteWarning[] {
  const fromUrl = urlSettings
    .filter(({ parameter }) => !READ.has(parameter))
    .map(({ setting, parameter }) => translated(parameter, `the option ${PG_OPTIONS[setting]} has been set`))
  const { acquireTimeoutMillis: acquire, connectTimeoutMillis: connect } = settings
  if (acquire === undefined || connect === undefined || acquire === connect) return fromUrl
  return [
    ...fromUrl,
    {
      code: 'one-timeout',
      parameter: 'connectTimeoutMillis',
      why: 'pg has a single timeout for waiting and connecting',
      instead: 'connectionTimeoutMillis has been set to acquireTimeoutMillis, the total time that a caller waits',
    },
  ]
}

const WITHOUT_EFFECT: Readonly<Record<string, readonly [why: string, instead: string]>> = Object.assign(
  Object.create(null),
  {
    pgbouncer: [
      "it is a flag of Prisma 5 and 6; pg's statements are unnamed unless the app names them, and unnamed statements work behind any pooler",
      'leave it out',
    ],
    statement_cache_size: ['pg caches only statements that the app names', 'leave it out'],
    target_session_attrs: [
      'pg does not look for a primary or a standby',
      'use a host name that follows the primary, or check pg_is_in_recovery() in onConnect',
    ],
    hostaddr: ['pg resolves the host itself', 'use the address as the host'],
    passfile: ['pg reads only the file of PGPASSFILE, or ~/.pgpass', 'set PGPASSFILE'],
    service: ['pg does not read service files', "write the service's parameters into the URL"],
    client_encoding: ['pg always uses UTF-8', 'leave it out'],
  },
)

/** Warnings about URL parameters that pg ignores and has no equivalent for. */
export function ignoredParameters({ others, target }: Reading, choosesHost = false): RewriteWarning[] {
  const warnings: RewriteWarning[] = []
  if (target.hosts.length > 1 && !choosesHost) {
    warnings.push({
      code: 'one-host-only',
      parameter: 'host',
      why: 'pg supports one host, and treats the list as one name',
      instead:
        'the first host has been kept; use a host name that follows the primary, or a driver that supports several hosts',
    })
  }
  for (const [parameter, value] of others) {
    if (READ.has(parameter) || socketParameter(parameter, value) !== undefined) continue
    if (choosesHost && POOL_PARAMETERS.has(parameter)) continue
    const [why, instead] = WITHOUT_EFFECT[parameter] ?? ['pg ignores it and has no equivalent', 'leave it out']
    warnings.push({ code: 'ignored-by-driver', parameter, why, instead })
  }
  return warnings
}
