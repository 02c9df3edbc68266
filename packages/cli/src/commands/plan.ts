import { type Command, Option } from 'commander'
import { CannotRunError, type Outcome } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { explainSizing, type SizingOptions } from '../plan/explain-sizing.ts'
import { type PlanOptions, withPlanOptions } from '../plan/plan-options.ts'
import { planOutcome } from '../plan/plan-outcome.ts'
import { takePlan } from '../plan/take-plan.ts'
import { amount, wholeFrom } from '../read-number.ts'

interface ExplainedPlanOptions extends PlanOptions, SizingOptions {
  readonly explain?: boolean
}

const EXAMPLES = `
Examples:
  $ poolguard plan --instances 6
  $ poolguard plan postgresql://app@db/orders --instances 4 --max-surge 25% --processes 2
  $ poolguard plan --max-connections 100 --instances 6 --json
  $ poolguard plan --instances 6 --cores 4 --concurrency 20 --connections-each 2

On a terminal, plan asks for missing numbers.`

export function definePlan(command: Command, done: (outcome: Outcome) => void): void {
  withPlanOptions(command)
    .option('--explain', 'also size the pools by load and by cores, and print the formulas')
    .addOption(explainOption('--cores <number>', 'CPU cores of the server', wholeFrom(1)))
    .addOption(explainOption('--checkouts <number>', 'checkouts per second, over all pools', amount))
    .addOption(explainOption('--held <millis>', 'average duration of a checkout', amount))
    .addOption(
      explainOption('--concurrency <number>', 'requests that one process handles at the same time', wholeFrom(1)),
    )
    .addOption(
      explainOption('--connections-each <number>', 'connections that one request holds at the same time', wholeFrom(1)),
    )
    .addHelpText('after', EXAMPLES)
    .action(async (url: string | undefined, options: ExplainedPlanOptions) => done(await plan(url, options)))
}

/** An input of a formula; it implies --explain. */
function explainOption(flags: string, description: string, read: (text: string) => number): Option {
  return new Option(flags, `${description}; implies --explain`).argParser(read).implies({ explain: true })
}

async function plan(url: string | undefined, options: ExplainedPlanOptions): Promise<Outcome> {
  if ((options.checkouts === undefined) !== (options.held === undefined))
    throw new CannotRunError(
      t`--checkouts and --held go together (Little's law), for example: --checkouts 400 --held 12.`,
    )
  const { source, input } = await takePlan(url, options)
  const { cores } = options
  const sizing = options.explain ? explainSizing(options, source.load) : []
  const notes = cores === undefined ? [...source.notes, noteOnCores()] : source.notes
  return planOutcome({ title: source.title, notes, input, sizing, cores })
}

function noteOnCores(): string {
  return t`More connections than the server can keep busy make it slower. A server does not report its cores: pass them, as in --cores 8, to see how many it can keep busy.`
}
