import { BudgetError, type ConnectionString, type Surge } from '@poolguard/core/postgres'
import { type Command, Option } from 'commander'
import { environment } from '../environment/own-environment.ts'
import { describeRestart, needsRestart, optimizeOutcome, printProposals } from '../optimize/optimize-outcome.ts'
import { optimizeServer } from '../optimize/optimize-server.ts'
import type { Proposal } from '../optimize/propose.ts'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { askAfter, canAsk } from '../output/ask.ts'
import { printable } from '../output/printable.ts'
import { createSpinner } from '../output/progress.ts'
import { t } from '../output/translate.ts'
import { planOutcome } from '../plan/plan-outcome.ts'
import { readServerSource } from '../plan/plan-source.ts'
import { positive, readDuration, readMaxConnections, readMegabytes, readSurge, wholeFrom } from '../read-number.ts'
import { MIN_MEGABYTES } from '../recommend/memory-settings.ts'
import { requestedSettings } from '../recommend/requested-settings.ts'
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

Without --apply it changes nothing. With --apply it asks for confirmation (without a terminal, pass --yes), runs ALTER SYSTEM, reloads the
server and checks the result in a new session. It leaves settings you changed yourself alone, except settings you name with
an option and memory settings smaller than --memory calls for. Settings that need a restart stay pending unless you pass
--restart-command. The exit code is 0 if nothing is left to do.`

export function defineOptimize(command: Command, done: (outcome: Outcome) => void): void {
  command
    .argument('[url]', 'URL of PostgreSQL itself, as a superuser (default: DIRECT_URL, then DATABASE_URL)')
    .option('--apply', 'apply the changes (default: only print them)')
    .option('--yes', 'apply without confirmation')
    .option('--max-connections <number>', 'set max_connections (default: keep)', readMaxConnections)
    .option('--memory <size>', "memory of PostgreSQL's dedicated server, such as 8GB", readMegabytes(MIN_MEGABYTES))
    .option('--statement-timeout <duration>', 'cancel statements that take longer, such as 30s', readDuration)
    .option('--instances <number>', 'check whether this many instances of the app fit', wholeFrom(1))
    .option('--max-surge <number|share>', 'extra instances during a rolling deploy: 1, or 25%', readSurge)
    .option('--processes <number>', 'processes per instance (default: 1)', wholeFrom(1))
    .option('--pools <number>', 'pools per process (default: 1)', wholeFrom(1))
    .option('--restart-command <command>', 'shell command that restarts the server, run if a setting needs it')
    .addOption(
      new Option('--restart-timeout <seconds>', 'time limit for the command, and again for the server to come back')
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
  const progress = createSpinner('', { isSilent: json })
  try {
    // Check the plan before changing anything, because it can fail.
    const plan = await checkPlan(target, options)
    const report = await optimizeServer({
      url: target,
      settingsFor: (server) => requestedSettings(server, options),
      isWanted: (proposals, { sessions }) => isWanted(proposals, sessions, options),
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

/**
 * Lists the changes on a terminal and asks for confirmation.
 *
 * @throws {CannotRunError} if there is no terminal to ask on, or the answer is no.
 */
async function isWanted(
  proposals: readonly Proposal[],
  sessions: number,
  { apply, yes, json, restartCommand }: OptimizeOptions,
): Promise<boolean> {
  const open = proposals.filter(({ standing }) => standing === 'change' || standing === 'waits')
  if (!apply || open.length === 0) return apply === true
  if (yes) return true
  const restarts = restartCommand !== undefined && open.some(needsRestart) ? [describeRestart(sessions)] : []
  if (!canAsk({ json })) {
    throw new CannotRunError(
      [
        t`Nothing was changed: --apply asks for confirmation, and this is no terminal. Pass --yes to apply without it.`,
        ...restarts,
      ].join(' '),
    )
  }
  const message = open.length === 1 ? t`Apply this?` : t`Apply these ${open.length}?`
  if (!(await askAfter([printProposals(open), ...restarts].join('\n'), message)))
    throw new CannotRunError(t`Nothing was changed.`)
  return true
}

/** Whether the instances fit into max_connections, current or requested. */
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
  return planOutcome({ title: t`The plan for ${instances} instances`, notes, input, sizing: [] })
}
