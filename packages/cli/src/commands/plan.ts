import type { OtherUse, PlanInput, Surge } from '@poolguard/core'
import { type Command, Option } from 'commander'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { askForPlan } from '../plan/ask-for-plan.ts'
import { explainSizing, type SizingOptions } from '../plan/explain-sizing.ts'
import { planOutcome } from '../plan/plan-outcome.ts'
import { readServerSource, sourceByHand } from '../plan/plan-source.ts'
import { amount, listed, readSurge, wholeFrom } from '../read-number.ts'

interface PlanOptions extends SizingOptions {
  readonly instances?: number
  readonly maxSurge?: Surge
  readonly processes?: number
  readonly pools?: number
  readonly migrations?: number
  readonly headroom?: number
  readonly others?: number
  readonly app?: readonly string[]
  readonly maxConnections?: number
  readonly reserved: number
  readonly poolerUrl?: string
  readonly explain?: boolean
  readonly dotenv?: string
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  $ poolguard plan --instances 6
  $ poolguard plan postgresql://app@db/orders --instances 4 --max-surge 25% --processes 2
  $ poolguard plan --max-connections 100 --instances 6 --json
  $ poolguard plan --instances 6 --cores 4 --concurrency 20 --connections-each 2

On a terminal, what is missing is asked for.`

export function addPlan(program: Command, done: (outcome: Outcome) => void): void {
  program
    .command('plan')
    .description('How many connections each pool may have, worked out from what the server can give.')
    .argument('[url]', 'connection string of the database, or of the pooler in front of it')
    .option('--instances <number>', 'instances of the app', wholeFrom(1))
    .option('--max-surge <number|share>', 'how many more a rolling deploy runs: 1, or 25%', readSurge)
    .option('--processes <number>', 'processes in each instance (default: 1)', wholeFrom(1))
    .option('--pools <number>', 'pools in each process (default: 1)', wholeFrom(1))
    .option('--migrations <number>', 'connections for migrations that run beside the app (default: 0)', wholeFrom(0))
    .option('--headroom <number>', 'connections left free (default: 3, or 10 %, whichever is more)', wholeFrom(0))
    .option('--others <number>', 'connections of other applications (default: those that are seen now)', wholeFrom(0))
    .option(
      '--app <name>',
      "application_name of this app's sessions; once for each (default: all of its role in its database)",
      listed,
    )
    .option('--max-connections <number>', 'plan without a server: its max_connections', wholeFrom(1))
    .addOption(
      new Option('--reserved <number>', 'slots that are reserved, without a server').argParser(wholeFrom(0)).default(3),
    )
    .option('--pooler-url <url>', "PgBouncer's, as a user in stats_users (default: the same URL)")
    .option('--explain', 'what the load needs and the server can use, by which formulas')
    .addOption(explaining('--cores <number>', "the server's cores", wholeFrom(1)))
    .addOption(explaining('--checkouts <number>', 'connections taken from all pools per second', amount))
    .addOption(explaining('--held <millis>', 'how long one is held on average', amount))
    .addOption(explaining('--concurrency <number>', 'requests that one process works on at once', wholeFrom(1)))
    .addOption(explaining('--connections-each <number>', 'connections that one request holds at once', wholeFrom(1)))
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: PlanOptions) => done(await plan(url, options)))
}

/** A number for a formula, which nobody gives without wanting to see it. */
function explaining(flags: string, description: string, read: (text: string) => number): Option {
  return new Option(flags, `${description}; explains`).argParser(read).implies({ explain: true })
}

async function plan(url: string | undefined, options: PlanOptions): Promise<Outcome> {
  const asks = process.stdin.isTTY && process.stdout.isTTY && !options.json
  const given = options.instances === undefined && asks ? { ...options, ...(await askForPlan(options)) } : options
  if ((given.checkouts === undefined) !== (given.held === undefined))
    throw new CannotRunError("Little's law takes both: --checkouts 400 --held 12.")
  if (given.instances === undefined) throw new CannotRunError('Say how many instances there are: --instances 6.')
  const source = given.maxConnections === undefined ? await readServerSource(url, given) : sourceByHand(given)
  const input: PlanInput = {
    capacity: source.capacity,
    instances: given.instances,
    maxSurge: given.maxSurge,
    processesPerInstance: given.processes,
    poolsPerProcess: given.pools,
    migrations: given.migrations,
    headroom: given.headroom,
    others: given.others === undefined ? source.others : everywhere(given.others),
    pooler: source.pooler,
  }
  const sizing = given.explain ? explainSizing(given, source.load) : []
  return planOutcome({ title: source.title, notes: source.notes, input, sizing })
}

/** Nobody said whose they are, so every limit counts them. */
function everywhere(connections: number): OtherUse {
  return { connections, ofRole: connections, ofDatabase: connections }
}
