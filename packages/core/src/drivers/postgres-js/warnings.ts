import type { TopologyTraits } from '../../topology/index.ts'
import type { NumericWish } from '../neutral/connection-settings.ts'
import { type Reading, readFlag } from '../neutral/reading.ts'
import type { ServerSetting } from '../neutral/startup-options.ts'
import type { RewriteWarning } from '../rewriting.ts'

/** postgres.js' names for wishes. */
const OWN: Partial<Record<NumericWish, string>> = {
  max: 'max',
  idleTimeoutMillis: 'idle_timeout',
  connectTimeoutMillis: 'connect_timeout',
  maxLifetimeMillis: 'max_lifetime',
}

/** Parameters that are options of postgres.js, read in a URL too. */
const READ: ReadonlySet<string> = new Set([
  'prepare',
  'fetch_types',
  'target_session_attrs',
  'keep_alive',
  'replication',
])

const SENT =
  'postgres.js sends it to the server as a setting, which ends the connection (42704, through PgBouncer 08P01)'

/** Whether statements are to be prepared; undefined where that is left to postgres.js, which prepares. */
export function readPrepare(reading: Reading, topology: TopologyTraits | undefined): boolean | undefined {
  const given = readFlag(reading, 'prepare')
  if (given === false) return false
  if (!topology) return readFlag(reading, 'pgbouncer') ? false : given
  if (topology.preparedStatements === 'safe') return true
  return topology.sharesServers || topology.preparedStatements === 'unsafe' ? false : given
}

/** What a URL would do to postgres.js that has been undone here, and the wishes that it cannot meet. */
export function postgresJsWarnings(
  reading: Reading,
  admitted: readonly ServerSetting[],
  topology: TopologyTraits | undefined,
): RewriteWarning[] {
  return [...statements(reading, topology), ...fromUrl(reading, admitted), ...unmet(reading)]
}

function statements(reading: Reading, topology: TopologyTraits | undefined): RewriteWarning[] {
  const safe = topology?.preparedStatements === 'safe'
  if (safe && readFlag(reading, 'prepare') === false) {
    const why = 'every query is planned anew, though prepared statements work here'
    return [{ code: 'prepared-statements-off', parameter: 'prepare', why, instead: 'leave prepare=false out' }]
  }
  if (safe && readFlag(reading, 'pgbouncer')) {
    const why = 'it is a flag of Prisma 5 and 6, and prepared statements work here'
    return [{ code: 'flag-not-needed', parameter: 'pgbouncer', why, instead: 'prepare stays on' }]
  }
  return []
}

function fromUrl({ written, others, tls }: Reading, admitted: readonly ServerSetting[]): RewriteWarning[] {
  const warnings: RewriteWarning[] = []
  for (const { wish, parameter } of written) {
    const own = OWN[wish]
    if (parameter === 'max') {
      const why = 'postgres.js leaves it a text in a URL, and opens one connection whatever the number'
      warnings.push({ code: 'translated', parameter, why, instead: 'the option max has been set, as a number' })
    } else if (own !== undefined && parameter !== own) {
      warnings.push({ code: 'translated', parameter, why: SENT, instead: `the option ${own} has been set` })
    } else if (own === undefined) {
      warnings.push({ code: 'refused-by-server', parameter, why: SENT, instead: 'it has been removed' })
    }
  }
  if (admitted.some(({ parameter }) => parameter === 'schema')) {
    warnings.push({ code: 'translated', parameter: 'schema', why: SENT, instead: 'it is the search_path now' })
  }
  for (const [parameter, value] of others) {
    const warning = otherWarning(parameter, value)
    if (warning) warnings.push(warning)
  }
  if (tls.mode === 'no-verify' || tls.mode === 'verify-ca') {
    const why = `postgres.js does not know ${tls.mode}, and verifies certificate and host`
    warnings.push({
      code: 'translated',
      parameter: tls.modeParameter ?? 'sslmode',
      why,
      instead: 'the option ssl has been set',
    })
  }
  return warnings
}

function otherWarning(parameter: string, value: string): RewriteWarning | undefined {
  if (parameter === 'target_session_attrs' && value === 'any') {
    const why = 'postgres.js throws at any, which is what it does without it'
    return { code: 'refused-by-driver', parameter, why, instead: 'it has been removed' }
  }
  if (READ.has(parameter)) return undefined
  if (parameter === 'keepalives_idle' || parameter === 'fallback_application_name') {
    const own = parameter === 'keepalives_idle' ? 'keep_alive' : 'application_name'
    return { code: 'translated', parameter, why: SENT, instead: `${own} has been set` }
  }
  if (parameter === 'pgbouncer') {
    return {
      code: 'translated',
      parameter,
      why: SENT,
      instead: 'the option prepare has been set by what is known of the pooler',
    }
  }
  return { code: 'refused-by-server', parameter, why: SENT, instead: 'it has been removed' }
}

function unmet({ wishes, target }: Reading): RewriteWarning[] {
  const warnings: RewriteWarning[] = []
  const missing = (parameter: NumericWish, why: string, instead: string): void => {
    warnings.push({ code: 'not-in-this-driver', parameter, why, instead })
  }
  if (wishes.min) missing('min', 'postgres.js opens connections only as they are needed', 'leave it out')
  if (wishes.acquireTimeoutMillis !== undefined && wishes.acquireTimeoutMillis !== Infinity) {
    missing(
      'acquireTimeoutMillis',
      'a query waits in the queue of postgres.js without end',
      'guard the client, which gives its queue a deadline',
    )
  }
  if (wishes.queryTimeoutMillis !== undefined && wishes.queryTimeoutMillis !== Infinity) {
    missing('queryTimeoutMillis', 'postgres.js waits for an answer without end', 'set statement_timeout on the server')
  }
  if (wishes.maxLifetimeMillis !== undefined && wishes.maxLifetimeMillis !== Infinity) {
    const why =
      'a given max_lifetime holds for all connections alike, where by default each has its own of 30 to 60 minutes'
    const instead = 'leave it out, if connections must not be replaced all at once'
    warnings.push({ code: 'lifetime-without-jitter', parameter: 'maxLifetimeMillis', why, instead })
  }
  if (target.hosts.length > 1 && target.hosts.some(({ host }) => host.startsWith('/'))) {
    const why = 'postgres.js takes one Unix socket, or several servers'
    const instead = 'what comes first in the list has been kept'
    warnings.push({ code: 'one-host-only', parameter: 'host', why, instead })
  }
  return warnings
}
