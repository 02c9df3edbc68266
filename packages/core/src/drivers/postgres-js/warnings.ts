import type { TopologyTraits } from '../../topology/index.ts'
import type { DriverContext } from '../driver-context.ts'
import type { NumericSetting } from '../neutral/connection-settings.ts'
import { POOL_PARAMETERS } from '../neutral/pool-parameters.ts'
import { type Reading, readFlag } from '../neutral/reading.ts'
import type { ServerSetting } from '../neutral/startup-options.ts'
import type { RewriteWarning } from '../rewriting.ts'

/** The option of postgres.js for each setting. */
const POSTGRES_JS_OPTIONS: Partial<Record<NumericSetting, string>> = {
  max: 'max',
  idleTimeoutMillis: 'idle_timeout',
  connectTimeoutMillis: 'connect_timeout',
  maxLifetimeMillis: 'max_lifetime',
}

/** Parameters that postgres.js itself reads from a URL as options. */
const READ: ReadonlySet<string> = new Set([
  'prepare',
  'fetch_types',
  'target_session_attrs',
  'keep_alive',
  'replication',
])

const SENT =
  'postgres.js sends it to the server as a setting, which the server rejects (42704, through PgBouncer 08P01)'

/** Whether to prepare statements; undefined for the default of postgres.js, which prepares them. */
export function preparesStatements(reading: Reading, topology: TopologyTraits | undefined): boolean | undefined {
  const given = readFlag(reading, 'prepare')
  if (given === false) return false
  if (!topology) return readFlag(reading, 'pgbouncer') ? false : given
  if (topology.preparedStatements === 'safe') return true
  return topology.sharesServers || topology.preparedStatements === 'unsafe' ? false : given
}

/** Warnings about parameters that would break a connection of postgres.js, and that the rewriting has translated. */
export function translatedParameters(
  { others, tls }: Reading,
  serverSettings: readonly ServerSetting[],
): RewriteWarning[] {
  const warnings: RewriteWarning[] = []
  if (serverSettings.some(({ parameter }) => parameter === 'schema')) {
    warnings.push(translated('schema', 'the search_path has been set'))
  }
  for (const parameter of others.keys()) {
    const instead = TRANSLATIONS[parameter]
    if (instead !== undefined) warnings.push(translated(parameter, instead))
  }
  if (tls.mode === 'no-verify' || tls.mode === 'verify-ca') {
    const why = `postgres.js does not support ${tls.mode}, and verifies the certificate and the host`
    const parameter = tls.modeParameter ?? 'sslmode'
    warnings.push({ code: 'translated', parameter, why, instead: 'the option ssl has been set' })
  }
  return warnings
}

const TRANSLATIONS: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  keepalives_idle: 'keep_alive has been set',
  fallback_application_name: 'application_name has been set',
  pgbouncer: 'the option prepare has been set according to the pooler',
})

function translated(parameter: string, instead: string): RewriteWarning {
  return { code: 'translated', parameter, why: SENT, instead }
}

/** Warnings about parameters that postgres.js does not support, or that do harm. */
export function lostParameters(reading: Reading, { topology, choosesHost }: DriverContext): RewriteWarning[] {
  const { others, urlSettings, settings, target } = reading
  const warnings = statementFlags(reading, topology)
  for (const { setting, parameter } of urlSettings) {
    if (setting === 'queryTimeoutMillis') warnings.push(refusedByServer(parameter))
  }
  for (const [parameter, value] of others) {
    if (choosesHost && POOL_PARAMETERS.has(parameter)) continue
    if (parameter === 'target_session_attrs' && value === 'any') {
      const why = 'postgres.js throws for the value any, although any is its default'
      warnings.push({ code: 'refused-by-driver', parameter, why, instead: 'it has been removed' })
    } else if (!READ.has(parameter) && TRANSLATIONS[parameter] === undefined) {
      warnings.push(refusedByServer(parameter))
    }
  }
  if (isLimited(settings.queryTimeoutMillis)) {
    const why = 'postgres.js has no query timeout'
    warnings.push(notInThisDriver('queryTimeoutMillis', why, 'set statement_timeout on the server'))
  }
  if (!choosesHost && target.hosts.length > 1 && target.hosts.some(({ host }) => host.startsWith('/'))) {
    const why = 'postgres.js supports one Unix socket, or several hosts'
    const instead = 'the first entry of the list and its kind have been kept'
    warnings.push({ code: 'one-host-only', parameter: 'host', why, instead })
  }
  return warnings
}

function statementFlags(reading: Reading, topology: TopologyTraits | undefined): RewriteWarning[] {
  const safe = topology?.preparedStatements === 'safe'
  if (safe && readFlag(reading, 'prepare') === false) {
    const why = 'the server plans every query again, although prepared statements work here'
    return [{ code: 'prepared-statements-off', parameter: 'prepare', why, instead: 'leave prepare=false out' }]
  }
  if (safe && readFlag(reading, 'pgbouncer')) {
    const why = 'it is a flag of Prisma 5 and 6, and prepared statements work here'
    return [{ code: 'flag-not-needed', parameter: 'pgbouncer', why, instead: 'prepare stays on' }]
  }
  return []
}

function refusedByServer(parameter: string): RewriteWarning {
  return { code: 'refused-by-server', parameter, why: SENT, instead: 'it has been removed' }
}

function notInThisDriver(parameter: NumericSetting, why: string, instead: string): RewriteWarning {
  return { code: 'not-in-this-driver', parameter, why, instead }
}

function isLimited(value: number | undefined): boolean {
  return value !== undefined && value !== Infinity
}

/** Warnings about pool settings in the URL that postgres.js alone would misread: the rewriting sets its options. */
export function translatedPoolSettings({ urlSettings }: Reading): RewriteWarning[] {
  return urlSettings.flatMap(({ setting, parameter }) => {
    const option = POSTGRES_JS_OPTIONS[setting]
    if (option === undefined || (parameter === option && parameter !== 'max')) return []
    if (parameter !== 'max') return [translated(parameter, `the option ${option} has been set`)]
    const why = 'postgres.js reads max from a URL as a string, and opens one connection for any number'
    return [{ code: 'translated', parameter, why, instead: 'the option max has been set, as a number' }]
  })
}

/** Warnings about pool settings that the pool of postgres.js does not support, or that do harm. */
export function lostPoolSettings({ urlSettings, settings }: Reading): RewriteWarning[] {
  const warnings = urlSettings
    .filter(({ setting }) => POSTGRES_JS_OPTIONS[setting] === undefined && setting !== 'queryTimeoutMillis')
    .map(({ parameter }) => refusedByServer(parameter))
  if (settings.min) {
    const why = 'postgres.js opens connections only on demand'
    warnings.push(notInThisDriver('min', why, 'leave it out'))
  }
  if (isLimited(settings.acquireTimeoutMillis)) {
    const why = 'the queue of postgres.js has no timeout'
    const instead = 'use poolguard, which adds a timeout for waiters'
    warnings.push(notInThisDriver('acquireTimeoutMillis', why, instead))
  }
  if (isLimited(settings.maxLifetimeMillis)) {
    const why =
      'an explicit max_lifetime applies to all connections without jitter; by default each connection has its own of 30 to 60 minutes'
    const instead = 'leave it out if connections must not all be replaced at the same time'
    warnings.push({ code: 'lifetime-without-jitter', parameter: 'maxLifetimeMillis', why, instead })
  }
  return warnings
}
