import { type Budget, BudgetError, describeSizing, type PlanInput, planBudget, type Sizing } from '@poolguard/core'
import type { Outcome } from '../outcome.ts'
import { paint } from '../paint.ts'

export interface PlanReport {
  readonly title: string
  readonly notes: readonly string[]
  readonly input: PlanInput
  readonly sizing: readonly Sizing[]
}

/** The plan as it is printed; one that does not fit is a finding. */
export function planOutcome({ title, notes, input, sizing }: PlanReport): Outcome {
  try {
    const budget = planBudget(input)
    const words = sizing.length > 0 ? describeSizing(budget, sizing) : []
    return { exitCode: 0, text: fitting(title, notes, budget, words), json: { fits: true, ...budget, notes, sizing } }
  } catch (error) {
    if (!(error instanceof BudgetError)) throw error
    const text = [title, '', `${paint('red', 'This does not fit.')} ${error.message}`, ...noted(notes)].join('\n')
    return { exitCode: 1, text, json: { fits: false, code: error.code, message: error.message, notes } }
  }
}

function fitting(title: string, notes: readonly string[], budget: Budget, words: readonly string[]): string {
  const { maxPerPool, pools, steps } = budget
  return [
    title,
    '',
    ...steps.map((step) => `  ${step}`),
    '',
    `${paint('green', `max ${maxPerPool} for each pool`)}, ${maxPerPool * pools} in all ${pools}.`,
    `Write max: ${maxPerPool} (connection_limit=${maxPerPool} in a URL for Prisma 5 and 6, poolSize: ${maxPerPool} for TypeORM),`,
    `or give poolguard's pools { instances: ${pools} }, and they read the limits themselves.`,
    ...(words.length > 0 ? ['', ...words] : []),
    ...noted(notes),
  ].join('\n')
}

function noted(notes: readonly string[]): string[] {
  return notes.length > 0 ? ['', ...notes.map((note) => `Note: ${note}`)] : []
}
