import type { Budget } from '@poolguard/core'
import { BudgetError, describeSizing, type PlanInput, planBudget, type Sizing } from '@poolguard/core/postgres'
import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import { translateFromCore } from '../output/translate-from-core.ts'

export interface PlanReport {
  readonly title: string
  readonly notes: readonly string[]
  readonly input: PlanInput
  readonly sizing: readonly Sizing[]
}

/** Prints the plan; a plan that does not fit is a finding. */
export function planOutcome(report: PlanReport): Outcome {
  const { title, notes, input, sizing } = report
  try {
    const budget = planBudget(input)
    const text = printPlan(report, budget, describeSizing(budget, sizing))
    return { exitCode: 0, text, json: { fits: true, ...budget, notes, sizing } }
  } catch (error) {
    if (error instanceof BudgetError) return planRefusal({ title, notes }, error)
    throw error
  }
}

/** Prints why the plan does not fit, and what to change. */
export function planRefusal({ title, notes }: Pick<PlanReport, 'title' | 'notes'>, error: BudgetError): Outcome {
  const problem = `${paint('red', t`The plan does not fit.`)} ${translateFromCore(error.message)}`
  const text = [title, '', problem, ...printNotes(notes)].join('\n')
  return { exitCode: 1, text, json: { fits: false, code: error.code, message: error.message, notes } }
}

function printPlan({ title, notes, input }: PlanReport, budget: Budget, words: readonly string[]): string {
  const { maxPerPool, pools, steps } = budget
  const direct = !input.pooler || input.pooler.mode === 'session'
  return [
    title,
    '',
    ...steps.map((step) => `  ${translateFromCore(step)}`),
    '',
    t`${paint('green', t`max ${maxPerPool} for each pool`)}, ${maxPerPool * pools} connections in all ${pools} pools.`,
    t`Set max: ${maxPerPool} (connection_limit=${maxPerPool} in the URL for Prisma 5 and 6, poolSize: ${maxPerPool} for TypeORM)`.concat(
      direct ? ',' : '.',
    ),
    // Behind a transaction pooler, instances does not divide the server's connections.
    ...(direct ? [t`or set { instances: ${pools} } on poolguard's pools: they read the limits from the server.`] : []),
    ...(words.length > 0 ? ['', ...words.map(translateLine)] : []),
    ...printNotes(notes),
  ].join('\n')
}

/** The verdict on a formula is indented. */
function translateLine(line: string): string {
  const text = line.trimStart()
  return `${' '.repeat(line.length - text.length)}${translateFromCore(text)}`
}

function printNotes(notes: readonly string[]): string[] {
  return notes.length > 0 ? ['', ...notes.map((note) => t`Note: ${note}`)] : []
}
