import { ConnectionStringError, InvalidOptionError } from '@poolguard/core'
import { isTailOfSecret } from '@poolguard/core/adapter'
import { ConnectionString, type ConnectionStringParts, parseConnectionString } from '@poolguard/core/postgres'
import { environmentConflicts } from './conflicts.ts'
import { type Environment, type EnvironmentPool, poolFromEnvironment } from './pool-from-environment.ts'
import { type EnvironmentReading, fillGaps, readGroup, readPgVariables, variable } from './variable-groups.ts'
import type { EnvironmentWarning } from './warning.ts'

/** What an environment says of the database. */
export interface EnvironmentConnection {
  /** What the app is to use. */
  readonly url: ConnectionString
  /** What migrations are to use, past the pooler; absent if the environment names nothing of the kind. */
  readonly direct?: ConnectionString
  readonly pool: EnvironmentPool
  /** Which variable gave what: `host`, `port`, `user`, `password`, `database`, `direct`, `max`, `min`, `idleTimeoutMillis`, and parameters by name. */
  readonly sources: Readonly<Record<string, string>>
  /** Variables that contradict each other, or cannot be meant. Never holds a password. */
  readonly warnings: readonly EnvironmentWarning[]
}

/**
 * Reads the connection, and what there is of pool settings, from environment variables. An empty variable counts as none.
 *
 * Where the app connects, the first of these that is there:
 * 1. `PGBOUNCER_HOST`, `_PORT`, `_DATABASE`, `_USER`, `_PASSWORD`, if `USE_PGBOUNCER` is true (1, yes, on); what is missing
 *    of user, password and database comes from `POSTGRES_*`;
 * 2. `DATABASE_URL`;
 * 3. `POSTGRES_HOST`, `_PORT`, `_DATABASE` (or `_DB`), `_USER`, `_PASSWORD`;
 * 4. libpq's `PGHOST`, `PGHOSTADDR`, `PGDATABASE`, `PGUSER`...
 *
 * What that leaves open is filled from libpq's variables, as libpq and pg do: `PGPORT`, `PGUSER`, `PGPASSWORD`,
 * `PGDATABASE`, `PGSSLMODE`, `PGAPPNAME`, `PGOPTIONS`, `PGCONNECT_TIMEOUT`...
 * (https://www.postgresql.org/docs/current/libpq-envars.html); but never a password for another server's user: only
 * beside a user of the same name, or of none.
 *
 * Past the pooler: `DIRECT_URL`; with `USE_PGBOUNCER` else `POSTGRES_*`, else `DATABASE_URL`.
 *
 * The pool: `DB_POOL_MAX`, else `DB_MAX_CONNECTIONS`; `DB_POOL_MIN`; `DB_POOL_IDLE_TIMEOUT`, in milliseconds.
 *
 * @throws {ConnectionStringError} if a URL cannot be read; names the variable, not the URL.
 * @throws {InvalidOptionError} if a variable cannot be meant, or none says where the database is; names variable and value.
 * @example
 * connectionFromEnvironment({ USE_PGBOUNCER: 'true', PGBOUNCER_HOST: 'pooler', POSTGRES_HOST: 'db', POSTGRES_DB: 'orders' })
 * // url postgresql://pooler/orders, direct postgresql://db/orders
 */
export function connectionFromEnvironment(env: Environment): EnvironmentConnection {
  const pgbouncer = readSwitch(env, 'USE_PGBOUNCER')
  const pooled = readGroup(env, 'PGBOUNCER')
  const plain = readGroup(env, 'POSTGRES')
  const url = readUrl(env, 'DATABASE_URL')
  const libpq = readPgVariables(env)
  const warnings: EnvironmentWarning[] = []
  if (pgbouncer && !pooled) {
    if (!url)
      throw new InvalidOptionError(
        'PGBOUNCER_HOST',
        env.PGBOUNCER_HOST,
        'the host of the pooler, as USE_PGBOUNCER is true',
      )
    warnings.push({
      code: 'switch-without-host',
      parameter: 'USE_PGBOUNCER',
      why: 'it is true, but PGBOUNCER_HOST does not say where the pooler is',
      instead: 'DATABASE_URL is taken; set PGBOUNCER_HOST, or leave USE_PGBOUNCER out',
    })
  }
  const behind = pgbouncer && pooled !== undefined
  const chosen = behind ? (plain ? fillGaps(pooled, plain, false) : pooled) : (url ?? plain ?? startOf(libpq))
  if (!chosen) {
    throw new InvalidOptionError(
      'DATABASE_URL',
      env.DATABASE_URL,
      'a postgresql: URL; or set POSTGRES_HOST and its kind, or PGHOST and its kind',
    )
  }
  const complete = fillGaps(chosen, libpq, true)
  const direct = readUrl(env, 'DIRECT_URL') ?? (behind ? (plain ?? url) : undefined)
  const pool = poolFromEnvironment(env)
  return {
    url: new ConnectionString(complete.parts),
    ...(direct && { direct: new ConnectionString(fillGaps(direct, libpq, true).parts) }),
    pool: pool.pool,
    sources: { ...complete.sources, ...(direct && { direct: direct.name }), ...pool.sources },
    warnings: [
      ...warnings,
      ...environmentConflicts(
        env,
        chosen,
        [pgbouncer ? undefined : pooled, url, behind ? undefined : plain, libpq],
        behind,
      ),
      ...pool.warnings,
    ],
  }
}

/** libpq's variables can stand alone when they say where, or as whom. */
function startOf(libpq: EnvironmentReading): EnvironmentReading | undefined {
  const { hosts, database, user } = libpq.parts
  return hosts?.length || database !== undefined || user !== undefined ? libpq : undefined
}

function readUrl(env: Environment, name: string): EnvironmentReading | undefined {
  const text = variable(env, name)
  if (text === undefined) return undefined
  try {
    const { scheme, user, password, hosts, database, parameters } = parseConnectionString(text)
    const parts: ConnectionStringParts = { scheme, user, password, hosts, database, parameters }
    const named = Object.entries({ user, password, database }).filter(([, value]) => value !== undefined)
    const sources = Object.fromEntries(
      [
        ...named.map(([part]) => part),
        ...(hosts.length > 0 ? ['host'] : []),
        ...(hosts.some(({ port }) => port !== undefined) ? ['port'] : []),
        ...parameters.flatMap(([parameter], index) => (isTailOfSecret(parameters, index) ? [] : [parameter])),
      ].map((part) => [part, name]),
    )
    return { name, parts, sources }
  } catch (error) {
    if (!(error instanceof ConnectionStringError)) throw error
    throw new ConnectionStringError(error.part, error.problem, { cause: error.cause, source: name })
  }
}

function readSwitch(env: Environment, name: string): boolean {
  const text = variable(env, name)?.toLowerCase()
  if (text === undefined || ['false', '0', 'no', 'off'].includes(text)) return false
  if (['true', '1', 'yes', 'on'].includes(text)) return true
  throw new InvalidOptionError(name, env[name], 'true or false')
}
