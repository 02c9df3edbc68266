import { HealthMonitor, renderMetrics, snapshotPools } from '@poolguard/core'
import { describeSettings } from '@poolguard/core/adapter'
import {
  describeAddress,
  describeRewriteWarning,
  directUrlFor,
  guessProvider,
  parseConnectionString,
  toPg,
  toPostgresJs,
  toPrismaEngine,
} from '@poolguard/core/postgres'
import { evaluateHealth } from '@poolguard/core/web'
import { type GuardedPool, type GuardedPoolConfig, guardPool } from '@poolguard/pg'
import { type GuardedSql, guardPostgres } from '@poolguard/postgres-js'
import { connectionFromEnvironment } from '../../../packages/cli/src/environment/connection-from-environment.ts'
import type { Environment } from '../../../packages/cli/src/environment/pool-from-environment.ts'
import { facesOf } from './faces.ts'
import type { Output } from './find-leaks.ts'

/** What is given a text, and tells all that it has shown. */
export type Subject = (text: string) => readonly Output[] | Promise<readonly Output[]>

/** What work has made, or the error it has thrown, in all its faces. */
export async function look(what: string, work: () => unknown): Promise<Output[]> {
  try {
    return facesOf(what, await work())
  } catch (error) {
    return facesOf(`${what}, error`, error)
  }
}

/** Options and the parts of a URL hold the password where the driver finds it, but do not show it. */
export function lookAtOptions(what: string, work: () => unknown): Promise<Output[]> {
  return look(what, work).then((outputs) => outputs.filter(({ where }) => !where.endsWith('spread into JSON')))
}

export const connectionStrings: Subject = async (text) => {
  const outputs = await lookAtOptions('parseConnectionString', () => parseConnectionString(text))
  const parsed = (() => {
    try {
      return parseConnectionString(text)
    } catch {
      return undefined
    }
  })()
  if (!parsed) return outputs
  return [
    ...outputs,
    ...(await look('describeAddress', () => describeAddress(parsed))),
    ...(await look('guessProvider', () => guessProvider(parsed))),
    ...(await look('directUrlFor', () => directUrlFor(parsed))),
    ...(await lookAtOptions('toPg', () => toPg(parsed))),
    ...(await look('toPg, warnings', () => toPg(parsed).warnings.map(describeRewriteWarning))),
    ...(await lookAtOptions('toPostgresJs', () => toPostgresJs(parsed))),
    ...(await look('toPostgresJs, warnings', () => toPostgresJs(parsed).warnings.map(describeRewriteWarning))),
    ...(await look('toPrismaEngine', () => toPrismaEngine(parsed))),
    ...(await look('toPrismaEngine, warnings', () => toPrismaEngine(parsed).warnings.map(describeRewriteWarning))),
  ]
}

const VARIABLES = [
  ...['DATABASE_URL', 'DIRECT_URL', 'POSTGRES_PASSWORD', 'POSTGRES_HOST', 'POSTGRES_PORT', 'POSTGRES_DB'],
  ...['PGHOST', 'PGPORT', 'PGPASSWORD', 'PGOPTIONS', 'PGSSLMODE', 'PGSSLKEY', 'PGPASSFILE', 'PGCONNECT_TIMEOUT'],
  ...['PGBOUNCER_HOST', 'PGBOUNCER_PASSWORD', 'USE_PGBOUNCER', 'DB_POOL_MAX', 'DB_POOL_MIN', 'DB_POOL_IDLE_TIMEOUT'],
]

export const environments: Subject = async (text) => {
  // What is a host name is one: it is shown.
  const isName = /^[\w.-]+$/.test(text)
  const outputs = VARIABLES.filter((name) => !isName || !/HOST|DB/.test(name)).map(async (name) => {
    const given: Environment = { PGDATABASE: 'db', PGUSER: 'app', [name]: text }
    const both: Environment = { ...given, DATABASE_URL: 'postgres://app:x@127.0.0.1:1/db', [name]: text }
    return [
      ...(await look(name, () => connectionFromEnvironment(given))),
      ...(await look(`${name} beside a URL`, () => connectionFromEnvironment(both))),
    ]
  })
  return (await Promise.all(outputs)).flat()
}

/** All that a pool shows: itself, what it says of itself, and the error of a query that cannot connect. */
async function lookAtPool(
  what: string,
  pool: GuardedPool | GuardedSql,
  query: () => Promise<unknown>,
): Promise<Output[]> {
  const failed = await look(`${what}, query`, query)
  const snapshot = pool.snapshot()
  const outputs = [
    ...failed,
    ...(await look(what, () => pool)),
    ...(await lookAtOptions(`${what}, options`, () => pool.options)),
    ...(await look(`${what}, snapshot`, () => snapshot)),
    ...(await look(`${what}, resolved`, () => pool.settings)),
    ...(await look(`${what}, settings`, () => describeSettings(pool.settings))),
    { where: `${what}, all pools`, text: JSON.stringify(snapshotPools()) },
    { where: `${what}, metrics`, text: renderMetrics().body.toString() },
    ...(await look(`${what}, health`, () => evaluateHealth(snapshot))),
    ...(await look(`${what}, health of the process`, () => new HealthMonitor().check())),
  ]
  return outputs
}

const QUICKLY = { acquireTimeoutMillis: 200, connectTimeoutMillis: 200 }

/** Makes a pool, uses it, and closes it. */
export async function lookAtPg(what: string, make: (extra: GuardedPoolConfig) => GuardedPool): Promise<Output[]> {
  const events: Output[] = []
  const extra: GuardedPoolConfig = {
    pool: QUICKLY,
    onEvent: (event) => events.push(...facesOf(`${what}, event`, event)),
  }
  let pool: GuardedPool
  try {
    pool = make(extra)
  } catch (error) {
    return facesOf(`${what}, error`, error)
  }
  const outputs = await lookAtPool(what, pool, () => pool.query('select 1'))
  await pool.end()
  return [...outputs, ...events, ...(await look(`${what}, closed`, () => pool.query('select 1')))]
}

export async function lookAtPostgresJs(what: string, make: (extra: object) => GuardedSql): Promise<Output[]> {
  const events: Output[] = []
  const extra = { pool: QUICKLY, onEvent: (event: unknown) => void events.push(...facesOf(`${what}, event`, event)) }
  let sql: GuardedSql
  try {
    sql = make(extra)
  } catch (error) {
    return facesOf(`${what}, error`, error)
  }
  const outputs = await lookAtPool(what, sql, async () => await sql`select 1`)
  await sql.end({ timeout: 0 })
  return [...outputs, ...events]
}

export const pgPools: Subject = async (text) => [
  ...(await lookAtPg('GuardedPool, url', (extra) => guardPool({ url: text, ...extra }))),
  ...(await lookAtPg('GuardedPool, connectionString', (extra) => guardPool({ connectionString: text, ...extra }))),
  ...(await lookAtPg('GuardedPool, password', (extra) =>
    guardPool({ host: '127.0.0.1', port: 1, user: 'app', password: text, ...extra }),
  )),
  ...(await lookAtPg('GuardedPool, console of a fleet', (extra) =>
    guardPool({ url: 'postgres://app@127.0.0.1:1/db', fleet: { app: 'orders', consoleUrl: text }, ...extra }),
  )),
  ...(await look('GuardedPool, text', () => guardPool(text as never))),
]

export const postgresJsPools: Subject = async (text) => [
  ...(await lookAtPostgresJs('guardPostgres, url', (extra) => guardPostgres(text, extra))),
  ...(await lookAtPostgresJs('guardPostgres, option url', (extra) => guardPostgres({ url: text, ...extra }))),
  ...(await lookAtPostgresJs('guardPostgres, password', (extra) =>
    guardPostgres({ host: '127.0.0.1', port: 1, user: 'app', password: text, ...extra }),
  )),
]
