import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import type { Result } from './check-results.ts'
import type { Proposal } from './propose.ts'

export interface OptimizeReport {
  readonly title: string
  readonly results: readonly Result[]
  /** False in a dry run. */
  readonly applied: boolean
  readonly restarted: boolean
  /** The plan's result; undefined without --instances. */
  readonly plan: Outcome | undefined
  /** Errors, and what to do about them. */
  readonly trouble: readonly string[]
  /** SQL that undoes the changes. */
  readonly undo: readonly string[]
}

const MARKS = {
  fine: ['green', 'fine'],
  done: ['green', 'done'],
  kept: ['gray', 'kept'],
  change: ['yellow', 'change'],
  waits: ['yellow', 'waits'],
  elsewhere: ['red', 'cannot'],
  failed: ['red', 'failed'],
} as const

/** Prints the proposed changes, or the result of applying them. */
export function optimizeOutcome(report: OptimizeReport): Outcome {
  const { title, results, applied, restarted, plan, trouble, undo } = report
  const open = results.filter(({ standing }) => !['fine', 'kept', 'done'].includes(standing))
  const exitCode = open.length > 0 || trouble.length > 0 || (plan?.exitCode ?? 0) > 0 ? 1 : 0
  const text = [
    title,
    '',
    ...results.flatMap(printResult),
    ...(plan ? ['', plan.text] : []),
    '',
    ...trouble,
    ...closing(report, open),
    ...(undo.length > 0 ? ['', `To undo: ${undo.map((statement) => `${statement};`).join(' ')}`] : []),
  ].join('\n')
  return { exitCode, text, json: { applied, restarted, settings: results, plan: plan?.json, trouble, undo } }
}

/** The proposed changes, for the confirmation on a terminal. */
export function printProposals(proposals: readonly Proposal[]): string {
  return proposals.flatMap(printResult).join('\n')
}

function printResult({ name, standing, before, after, takesEffect, reason, note }: Result): string[] {
  const [colour, mark] = MARKS[standing]
  const same = standing === 'fine' || standing === 'kept'
  const open = !same && standing !== 'done'
  const values = same ? before : `${before} -> ${after}`
  const when = standing === 'change' ? `  (${takesEffect})` : standing === 'waits' ? '  (after a restart)' : ''
  return [
    `${paint(colour, mark.padEnd(6))}  ${name}  ${values}${when}`,
    ...(open ? [`        ${reason}`] : []),
    ...(note === undefined ? [] : [`        ${note}`]),
  ]
}

function closing({ applied, results }: OptimizeReport, open: readonly Result[]): string[] {
  const count = (standing: Result['standing']) => results.filter((result) => result.standing === standing).length
  if (open.length === 0) {
    return [count('done') > 0 ? paint('green', 'All settings are in force.') : paint('green', 'No changes needed.')]
  }
  const restarts = open.filter(
    ({ standing, takesEffect }) => standing === 'waits' || (standing === 'change' && takesEffect === 'after a restart'),
  )
  const restart = "--restart-command 'systemctl restart postgresql'"
  if (!applied && count('change') > 0) {
    const how = restarts.length > 0 ? ` --apply ${restart}` : ' --apply'
    return [`Nothing was changed. To apply the changes, add:${how}`]
  }
  return restarts.length > 0 ? [`Restart PostgreSQL, or run optimize again with --apply ${restart}.`] : []
}
