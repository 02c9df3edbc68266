import type { Budget } from '@poolguard/core'
import { BudgetError, describeSizing, type PlanInput, planBudget, type Sizing } from '@poolguard/core/postgres'
import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import { translateFromCore } from '../output/translate-from-core.ts'
import { usefulConnections } from './useful-connections.ts'

export interface PlanReport {
  readonly title: string
  readonly notes: readonly string[]
  readonly input: PlanInput
  readonly sizing: readonly Sizing[]
  /** Of the server, if they are known: the plan advises how many connections to use. */
  readonly cores?: number | undefined
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

function printPlan({ title, notes, input, cores }: PlanReport, budget: Budget, words: readonly string[]): string {
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
    ...(cores === undefined ? [] : adviseOnCores(cores, { planned: maxPerPool * pools, pools, direct })),
    ...printNotes(notes),
  ].join('\n')
}

interface PlannedConnections {
  readonly planned: number
  readonly pools: number
  readonly direct: boolean
}

/** How to use no more connections than the server can keep busy, if the plan allows more. */
function adviseOnCores(cores: number, { planned, pools, direct }: PlannedConnections): readonly string[] {
  const useful = usefulConnections(cores)
  if (planned <= useful) return []
  const pooler = t`Let PgBouncer in transaction mode divide them: default_pool_size = ${useful}, at the largest.`
  if (!direct || pools > useful) return [pooler]
  return [
    t`To use no more than that, ${Math.floor(useful / pools)} in each pool, set { instances: ${pools}, pool: { limit: 'cores', serverCores: ${cores} } }. With fleet instead of instances, they are divided among the instances that run.`,
  ]
}

/** The verdict on a formula is indented. */
function translateLine(line: string): string {
  const text = line.trimStart()
  return `${' '.repeat(line.length - text.length)}${translateFromCore(text)}`
}

function printNotes(notes: readonly string[]): string[] {
  return notes.length > 0 ? ['', ...notes.map((note) => t`Note: ${note}`)] : []
}
