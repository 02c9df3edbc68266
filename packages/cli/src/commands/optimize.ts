import { confirm } from '@clack/prompts'
import { BudgetError, type ConnectionString, type Surge } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import ora from 'ora'
import { environment } from '../environment/own-environment.ts'
import { optimizeOutcome, printProposals } from '../optimize/optimize-outcome.ts'
import { optimizeServer } from '../optimize/optimize-server.ts'
import type { Proposal } from '../optimize/propose.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { printable } from '../output/printable.ts'
import { planOutcome } from '../plan/plan-outcome.ts'
import { readServerSource } from '../plan/plan-source.ts'
import { positive, readDuration, readMaxConnections, readMegabytes, readSurge, wholeFrom } from '../read-number.ts'
import { MIN_MEGABYTES } from '../recommend/memory-settings.ts'
import { wishedSettings } from '../recommend/wished-settings.ts'
import { requireTarget } from '../target.ts'

interface OptimizeOptions {
  readonly apply?: boolean
  readonly yes?: boolean
  readonly maxConnections?: number
  readonly memory?: number
  readonly statementTimeout?: string
  readonly instances?: number
  readonly maxSurge?: Surge
  readonly processes?: number
  readonly pools?: number
  readonly restartCommand?: string
  readonly restartTimeout: number
  readonly dotenv?: string
  readonly json?: boolean
}

const EXAMPLES = `
Examples:
  $ poolguard optimize
  $ poolguard optimize postgresql://postgres@db/orders --apply
  $ poolguard optimize --max-connections 200 --instances 8 --apply --restart-command 'systemctl restart postgresql'
  $ poolguard optimize --memory 8GB --json

Without --apply it changes nothing. With it, it asks on a terminal, writes with ALTER SYSTEM, has the server reload, and
looks again with a new session. What somebody has set stays, unless it is smaller than what --memory asks for; what an
option names is set to that. What needs a restart waits for one, unless --restart-command says how. The exit code is 0
where nothing is left to do.`

export function addOptimize(program: Command, done: (outcome: Outcome) => void): void {
  program
    .command('optimize')
    .description('Compares a running server with what is recommended, and applies what can be applied.')
    .argument('[url]', "connection string of PostgreSQL itself, as a superuser (default: DIRECT_URL's, DATABASE_URL's)")
    .option('--apply', 'apply it (default: only say what would be done)')
    .option('--yes', 'do not ask before applying')
    .option('--max-connections <number>', 'what it is to be (default: left as it is)', readMaxConnections)
    .option('--memory <size>', 'of a server that PostgreSQL has to itself, such as 8GB', readMegabytes(MIN_MEGABYTES))
    .option('--statement-timeout <duration>', 'end statements that take longer, such as 30s', readDuration)
    .option('--instances <number>', 'say whether so many instances of the app fit', wholeFrom(1))
    .option('--max-surge <number|share>', 'how many more a rolling deploy runs: 1, or 25%', readSurge)
    .option('--processes <number>', 'processes in each instance (default: 1)', wholeFrom(1))
    .option('--pools <number>', 'pools in each process (default: 1)', wholeFrom(1))
    .option('--restart-command <command>', 'restarts the server, where a setting needs it; run by the shell')
    .addOption(
      new Option('--restart-timeout <seconds>', 'for the command, and then for the server')
        .argParser(positive)
        .default(60),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: OptimizeOptions) => done(await optimize(url, options)))
}

async function optimize(url: string | undefined, options: OptimizeOptions): Promise<Outcome> {
  const { restartCommand, restartTimeout, dotenv, json } = options
  const found = requireTarget({ url, dotenv, folder: process.cwd(), env: environment })
  const target = found.direct ?? found.url
  const progress = ora({ discardStdin: false, isSilent: json === true || !process.stderr.isTTY })
  try {
    // Before anything is changed: it may fail, too.
    const plan = await checkPlan(target, options)
    const report = await optimizeServer({
      url: target,
      wishesFor: (server) => wishedSettings(server, options),
      wants: (proposals) => isWanted(proposals, options),
      restart:
        restartCommand === undefined
          ? undefined
          : {
              command: restartCommand,
              timeoutMillis: restartTimeout * 1_000,
              onProgress: (what) => progress.start(printable(what)),
            },
    })
    progress.stop()
    return optimizeOutcome({ ...report, plan })
  } catch (error) {
    if (error instanceof BudgetError)
      return { exitCode: 1, text: error.message, json: { error: { code: error.code, message: error.message } } }
    throw error
  } finally {
    progress.stop()
  }
}

/** On a terminal it asks, with what is at stake before one's eyes. */
async function isWanted(proposals: readonly Proposal[], { apply, yes, json }: OptimizeOptions): Promise<boolean> {
  const open = proposals.filter(({ standing }) => standing === 'change' || standing === 'waits')
  if (!apply || open.length === 0) return apply === true
  if (yes || json || !process.stdin.isTTY || !process.stdout.isTTY) return true
  process.stdout.write(`${printable(printProposals(open))}\n`)
  const answer = await confirm({
    message: `Apply ${open.length === 1 ? 'this' : `these ${open.length}`}?`,
    initialValue: false,
  })
  if (answer !== true) throw new CannotRunError('Nothing was changed.')
  return true
}

/** Whether the instances fit into what the server has, or is to have. */
async function checkPlan(target: ConnectionString, options: OptimizeOptions): Promise<Outcome | undefined> {
  const { instances, maxSurge, processes, pools, maxConnections } = options
  if (instances === undefined) return undefined
  const { capacity, others, notes } = await readServerSource(target.href, {})
  const input = {
    capacity: { ...capacity, maxConnections: maxConnections ?? capacity.maxConnections },
    instances,
    maxSurge,
    processesPerInstance: processes,
    poolsPerProcess: pools,
    others,
  }
  return planOutcome({ title: `The plan for ${instances} instances`, notes, input, sizing: [] })
}
