import { ConnectionStringError, InvalidOptionError } from '@poolguard/core'
import { isTailOfSecret } from '@poolguard/core/adapter'
import { ConnectionString, type ConnectionStringParts, parseConnectionString } from '@poolguard/core/postgres'
import { environmentConflicts } from './conflicts.ts'
import { type Environment, type EnvironmentPool, poolFromEnvironment } from './pool-from-environment.ts'
import {
  type EnvironmentReading,
  fillGaps,
  readGroup,
  readNeutralGroup,
  readPgVariables,
  variable,
} from './variable-groups.ts'
import type { EnvironmentWarning } from './warning.ts'

/** The connection that the environment variables describe. */
export interface EnvironmentConnection {
  /** The URL for the app. */
  readonly url: ConnectionString
  /** The direct URL for migrations, which bypasses the pooler; absent if the environment has none. */
  readonly direct?: ConnectionString
  readonly pool: EnvironmentPool
  /** The variable behind each part: `host`, `port`, `user`, `password`, `database`, `direct`, `max`, `min`, `idleTimeoutMillis`, and parameters by name. */
  readonly sources: Readonly<Record<string, string>>
  /** Variables that contradict each other, or look like a mistake. Never contains a password. */
  readonly warnings: readonly EnvironmentWarning[]
}

/** Fills the gaps of a connection from the service that it names; libpq's variables fill those that remain. */
export type AddService = (reading: EnvironmentReading) => EnvironmentReading

/**
 * Reads the connection and pool settings from environment variables. An empty variable counts as unset.
 *
 * The app connects to the first of these that is set:
 * 1. `PGBOUNCER_HOST`, `_PORT`, `_DATABASE`, `_USER`, `_PASSWORD`, if `USE_PGBOUNCER` is true (1, yes, on); a missing
 *    user, password or database comes from `POSTGRES_*`;
 * 2. `DATABASE_URL`;
 * 3. another variable with a PostgreSQL URL: `POSTGRES_PRISMA_URL`, `POSTGRES_URL`, `DB_URL`, `DATABASE_URI`...;
 * 4. `POSTGRES_HOST`, `_PORT`, `_DATABASE` (or `_DB`, `_NAME`), `_USER` (or `_USERNAME`), `_PASSWORD` (or `_PASS`);
 * 5. the same with `DATABASE_`, `DB_`, `TYPEORM_`, `RDS_` or `PG_`, unless they are of another database system;
 * 6. libpq's `PGHOST`, `PGHOSTADDR`, `PGDATABASE`, `PGUSER`...
 *
 * Missing parts come from libpq's variables, as in libpq and pg: `PGPORT`, `PGUSER`, `PGPASSWORD`,
 * `PGDATABASE`, `PGSSLMODE`, `PGAPPNAME`, `PGOPTIONS`, `PGCONNECT_TIMEOUT`...
 * (https://www.postgresql.org/docs/current/libpq-envars.html); a password only if the user is
 * the same, or if neither or only one of them is named.
 *
 * The direct URL: `DIRECT_URL`, `DIRECT_DATABASE_URL`, `DATABASE_URL_UNPOOLED`, `POSTGRES_URL_NON_POOLING`...; with `USE_PGBOUNCER`, otherwise `POSTGRES_*`, otherwise `DATABASE_URL`.
 *
 * The pool: `DB_POOL_MAX`, otherwise `DB_MAX_CONNECTIONS`; `DB_POOL_MIN`; `DB_POOL_IDLE_TIMEOUT`, in milliseconds.
 *
 * @param names variables with the URL that the app's sources name; they come before `DATABASE_URL`.
 * @param addService reads the service that a URL or `PGSERVICE` names. Default: services are not read.
 * @throws {ConnectionStringError} for an invalid URL; names the variable, not the URL.
 * @throws {InvalidOptionError} for an invalid variable, or if none configures a database; names variable and value.
 * @example
 * connectionFromEnvironment({ USE_PGBOUNCER: 'true', PGBOUNCER_HOST: 'pooler', POSTGRES_HOST: 'db', POSTGRES_DB: 'orders' })
 * // url postgresql://pooler/orders, direct postgresql://db/orders
 */
export function connectionFromEnvironment(
  env: Environment,
  names: readonly string[] = [],
  addService: AddService = (reading) => reading,
): EnvironmentConnection {
  const pgbouncer = readSwitch(env, 'USE_PGBOUNCER')
  const pooled = readGroup(env, 'PGBOUNCER')
  const plain = readGroup(env, 'POSTGRES') ?? readNeutralGroup(env)
  const url = firstUrl(env, names) ?? readUrl(env, 'DATABASE_URL') ?? firstUrl(env, URLS)
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
      why: 'it is true, but PGBOUNCER_HOST is not set',
      instead: 'DATABASE_URL is used; set PGBOUNCER_HOST, or remove USE_PGBOUNCER',
    })
  }
  const behind = pgbouncer && pooled !== undefined
  const chosen = behind ? (plain ? fillGaps(pooled, plain, false) : pooled) : (url ?? plain ?? startOf(libpq))
  if (!chosen) {
    throw new InvalidOptionError(
      'DATABASE_URL',
      env.DATABASE_URL,
      'a postgresql: URL; or set POSTGRES_HOST, POSTGRES_DB and so on, or PGHOST, PGDATABASE and so on',
    )
  }
  // A service comes before libpq's other variables.
  const complete = fillGaps(
    addService(chosen === libpq ? { name: libpq.name, parts: {}, sources: {} } : chosen),
    libpq,
    true,
  )
  const direct = readUrl(env, 'DIRECT_URL') ?? firstUrl(env, DIRECT_URLS) ?? (behind ? (plain ?? url) : undefined)
  const pool = poolFromEnvironment(env)
  return {
    url: new ConnectionString(complete.parts),
    ...(direct && { direct: new ConnectionString(fillGaps(addService(direct), libpq, true).parts) }),
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

/** libpq's variables are enough if they name a host, a database, a user or a service. */
function startOf(libpq: EnvironmentReading): EnvironmentReading | undefined {
  const { hosts, database, user } = libpq.parts
  const isNamed = hosts?.length || database !== undefined || user !== undefined || libpq.sources.service !== undefined
  return isNamed ? libpq : undefined
}

/** Variables of providers and frameworks that hold the app's URL. */
const URLS = [
  'POSTGRES_PRISMA_URL',
  'POSTGRES_URL',
  'DB_URL',
  'DATABASE_URI',
  'PG_URL',
  'PG_CONNECTION_STRING',
  'POSTGRES_CONNECTION_STRING',
  'POSTGRESQL_URL',
  'DATABASE_CONNECTION_STRING',
  'DB_CONNECTION_STRING',
  'TYPEORM_URL',
  'NEON_DATABASE_URL',
  'SUPABASE_DB_URL',
]

/** Variables that hold a URL past the pooler. */
const DIRECT_URLS = [
  'DIRECT_DATABASE_URL',
  'DATABASE_DIRECT_URL',
  'DATABASE_URL_UNPOOLED',
  'POSTGRES_URL_NON_POOLING',
  'MIGRATION_DATABASE_URL',
  'MIGRATIONS_DATABASE_URL',
]

/** The first of these variables that has a URL of PostgreSQL. */
function firstUrl(env: Environment, names: readonly string[]): EnvironmentReading | undefined {
  const name = names.find((each) => /^postgres(ql)?:/.test(variable(env, each) ?? ''))
  return name === undefined ? undefined : readUrl(env, name)
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
