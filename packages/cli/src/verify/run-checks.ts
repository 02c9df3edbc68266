import { randomBytes } from 'node:crypto'
import { describeTopology, type Topology } from '@poolguard/core'
import { type ConnectionString, describeAddress, readOneRow } from '@poolguard/core/postgres'
import { PgBouncerConsole } from '@poolguard/pg'
import { describeConnectError } from '../connect-errors/cannot-connect.ts'
import { type Contact, contact, type Pool } from '../database/contact.ts'
import { explainConsoleError } from '../database/read-pooler-facts.ts'
import { messageOf } from '../output/message-of.ts'
import { joinSentences, t } from '../output/translate.ts'
import { translateFromCore } from '../output/translate-from-core.ts'
import { attempt, type Check, CheckFailed, skipped } from './check.ts'

export type Expected = 'direct' | 'session' | 'transaction'

export interface VerifyInput {
  readonly url: ConnectionString
  /** Bypasses the pooler, for migrations. */
  readonly direct: ConnectionString | undefined
  /** PgBouncer's console, from --pooler-url. */
  readonly consoleUrl: ConnectionString | undefined
  readonly expected: Expected | undefined
  /** Prepared statements are required to work. */
  readonly prepared: boolean
  readonly concurrency: number
  readonly max: number
}

const APPLICATION = 'poolguard verify'
const TIMEOUT_MILLIS = 10_000

/** Runs one check after another; stops after the first if it cannot connect. Writes nothing to the database. */
export async function runChecks(input: VerifyInput): Promise<readonly Check[]> {
  const { url, max } = input
  await using database = contact(url, { applicationName: APPLICATION, max, acquireTimeoutMillis: TIMEOUT_MILLIS })
  const { pool } = database
  let topology: Topology | undefined
  const reached = await attempt('reached', async () => {
    topology = await reachAt(database, url)
    return `${describeAddress(url)}: ${translateFromCore(describeTopology(topology))}`
  })
  if (!topology) return [reached]
  return [
    reached,
    ...(await checkExpected(input, topology)),
    await attempt('query', () => checkQuery(pool)),
    await attempt('transaction', () => checkTransaction(pool)),
    await checkPrepared(pool, input, topology),
    await checkFigures(pool, input, topology),
    await attempt('concurrency', () => checkConcurrency(pool, input)),
    await checkDirect(input),
  ]
}

/** @throws {CheckFailed} that says what the connection error means and what to try. */
async function reachAt(database: Contact, url: ConnectionString): Promise<Topology> {
  return await database.reach().catch((error: unknown) => {
    const { message, help } = describeConnectError(url, error)
    const failure = t`${describeAddress(url)}: ${message}.`
    throw new CheckFailed(help ? joinSentences(failure, help.meaning, help.remedy, help.page) : failure)
  })
}

async function checkExpected({ expected }: VerifyInput, topology: Topology): Promise<readonly Check[]> {
  if (expected === undefined) return []
  const found = topology.kind === 'pooler' ? topology.pooler.mode : topology.kind
  const check = attempt('expected', async () => {
    if (found !== expected) throw new CheckFailed(t`Expected ${expected}, found ${found}.`)
    return t`${expected}, as expected`
  })
  return [await check]
}

async function checkQuery(pool: Pool): Promise<string> {
  const { rows } = await pool.query<{ sum: number }>('select $1::int operator(pg_catalog.+) 1 as sum', [41])
  if (rows[0]?.sum !== 42) throw new CheckFailed(t`select 41 + 1 returned ${rows[0]?.sum}.`)
  return t`ran a query with a parameter`
}

/** SET LOCAL must last until the end of the transaction, and the transaction must stay on one server connection. */
async function checkTransaction(pool: Pool): Promise<string> {
  const client = await pool.connect()
  const ask = async () =>
    (
      await client.query<{ pid: number; name: string }>(
        "select pg_catalog.pg_backend_pid() as pid, pg_catalog.current_setting('poolguard.verify', true) as name",
      )
    ).rows[0]
  try {
    await client.query('begin')
    await client.query("set local poolguard.verify = 'inside'")
    const [first, second] = [await ask(), await ask()]
    await client.query('rollback')
    const after = await ask()
    if (first?.pid !== second?.pid)
      throw new CheckFailed(
        t`Two statements of one transaction ran on two server connections: is the pooler in statement mode?`,
      )
    if (first?.name !== 'inside' || after?.name === 'inside')
      throw new CheckFailed(t`SET LOCAL did not stay within its transaction.`)
    return t`stayed on one server connection and rolled back`
  } finally {
    client.release()
  }
}

/** A pooler may run each execution on a different server connection. */
async function checkPrepared(pool: Pool, { prepared }: VerifyInput, topology: Topology): Promise<Check> {
  const safe = topology.preparedStatements === 'safe'
  if (!safe && !prepared)
    return skipped(
      'prepared statements',
      t`${topology.preparedStatements} here: turn prepared statements off in the app (pass --prepared to make this a failure)`,
    )
  return attempt('prepared statements', async () => {
    // If the pooler is known to break them, a lucky run proves nothing.
    if (topology.preparedStatements === 'unsafe')
      throw new CheckFailed(
        joinSentences(t`This pooler does not track prepared statements: they work only by chance.`, preparedAdvice()),
      )
    const name = `poolguard_${randomBytes(6).toString('hex')}`
    const runs = Array.from({ length: 40 }, (_, n) => pool.query({ name, text: 'select $1::int as n', values: [n] }))
    const settled = await Promise.allSettled(runs)
    const failed = settled.filter((run) => run.status === 'rejected')
    if (failed.length > 0)
      throw new CheckFailed(
        joinSentences(t`${failed.length} of 40 executions failed: ${reasonOf(failed)}.`, preparedAdvice()),
      )
    return t`ran one prepared statement 40 times on several connections`
  })
}

async function checkFigures(pool: Pool, { url, consoleUrl }: VerifyInput, topology: Topology): Promise<Check> {
  if (consoleUrl) {
    return await attempt('figures', () =>
      readConsole(consoleUrl).catch((error: unknown) => {
        throw explainConsoleError(consoleUrl, error)
      }),
    )
  }
  if (topology.kind === 'pooler') {
    const check = await attempt('figures', () => readConsole(url))
    if (check.status === 'passed') return check
    // The app's user does not need access to the console.
    return skipped(
      'figures',
      t`this user cannot read PgBouncer's console (pass --pooler-url with a user in stats_users)`,
    )
  }
  return attempt('figures', async () => {
    const { rows } = await pool.query(
      'select pg_catalog.count(*)::int as count from pg_catalog.pg_stat_activity where datname is not null',
    )
    const sessions = readOneRow('the query for the sessions', rows, (row) => row.integer('count'))
    return t`pg_stat_activity shows ${sessions} sessions`
  })
}

async function readConsole(url: ConnectionString): Promise<string> {
  await using console = await PgBouncerConsole.connect(url.href)
  const pools = await console.pools()
  const waiting = pools.reduce((sum, { clientsWaiting }) => sum + clientsWaiting, 0)
  return t`PgBouncer's console shows ${pools.length} pools and ${waiting} waiting clients`
}

async function checkConcurrency(pool: Pool, { concurrency, max }: VerifyInput): Promise<string> {
  const began = performance.now()
  const runs = await Promise.allSettled(
    Array.from({ length: concurrency }, () => pool.query('select pg_catalog.pg_sleep(0.01)')),
  )
  const failed = runs.filter((run) => run.status === 'rejected')
  const millis = Math.round(performance.now() - began)
  if (failed.length > 0)
    throw new CheckFailed(t`${failed.length} of ${concurrency} requests failed: ${reasonOf(failed)}`)
  return t`${concurrency} concurrent requests on at most ${max} connections succeeded within ${millis} ms`
}

async function checkDirect({ direct }: VerifyInput): Promise<Check> {
  if (!direct) return skipped('direct URL', t`DIRECT_URL is not set`)
  await using database = contact(direct, { applicationName: APPLICATION, max: 2 })
  return await attempt('direct URL', async () => {
    const topology = await reachAt(database, direct)
    if (topology.kind !== 'direct') {
      throw new CheckFailed(
        t`${describeAddress(direct)} does not lead to PostgreSQL itself: ${translateFromCore(describeTopology(topology))}.`,
      )
    }
    return t`${describeAddress(direct)}: PostgreSQL itself`
  })
}

function preparedAdvice(): string {
  return t`Set max_prepared_statements on PgBouncer 1.21 or later, or turn prepared statements off.`
}

/** The message of the first failure. */
function reasonOf(failed: readonly PromiseRejectedResult[]): string {
  const reason: unknown = failed[0]?.reason
  return messageOf(reason)
}
