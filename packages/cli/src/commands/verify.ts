import { type Command, Option } from 'commander'
import { environment } from '../environment/own-environment.ts'
import type { Outcome } from '../outcome.ts'
import { wholeFrom } from '../read-number.ts'
import { checkSqlite } from '../sqlite/check-sqlite.ts'
import { findSqlite } from '../sqlite/sqlite-address.ts'
import { findTarget, readVariables, requireTarget } from '../target.ts'
import { type Expected, runChecks } from '../verify/run-checks.ts'
import { verifyOutcome } from '../verify/verify-outcome.ts'

interface VerifyOptions {
  readonly expect?: Expected
  readonly prepared?: boolean
  readonly concurrency: number
  readonly max: number
  readonly poolerUrl?: string
  readonly dotenv?: string
}

const EXAMPLES = `
Examples:
  $ poolguard verify
  $ poolguard verify postgresql://app@pooler:6432/orders --expect transaction --prepared
  $ poolguard verify file:quota.db
  $ poolguard verify --concurrency 200 --max 20 --json

It writes nothing to the database and opens at most --max connections.`

export function defineVerify(command: Command, done: (outcome: Outcome) => void): void {
  command
    .argument('[url]', 'URL of the database, of the pooler in front of it, or of a SQLite file: file:quota.db')
    .addOption(
      new Option('--expect <what>', 'fail unless the URL leads to this').choices(['direct', 'session', 'transaction']),
    )
    .option('--prepared', 'fail if prepared statements do not work')
    .addOption(new Option('--concurrency <number>', 'requests at the same time').argParser(wholeFrom(1)).default(50))
    .addOption(new Option('--max <number>', 'size of the pool').argParser(wholeFrom(2)).default(10))
    .option('--pooler-url <url>', "URL of PgBouncer's console, as a user in stats_users (default: the same URL)")
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: VerifyOptions) => done(await verify(url, options)))
}

async function verify(url: string | undefined, options: VerifyOptions): Promise<Outcome> {
  const { expect, prepared = false, concurrency, max, poolerUrl, dotenv } = options
  const place = { folder: process.cwd(), env: environment }
  const sqlite = findSqlite(url, place.folder, url === undefined ? readVariables({ dotenv, ...place }) : {})
  if (sqlite) return verifyOutcome(await checkSqlite(sqlite.path, { readers: concurrency }))
  const target = requireTarget({ url, dotenv, ...place })
  const consoleUrl = poolerUrl === undefined ? undefined : findTarget({ url: poolerUrl, ...place })?.url
  const { direct } = target
  const input = {
    url: target.url,
    direct,
    consoleUrl,
    expected: expect,
    prepared,
    concurrency,
    max,
  }
  return verifyOutcome(await runChecks(input))
}
