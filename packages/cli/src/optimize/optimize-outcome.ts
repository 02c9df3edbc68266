import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import type { Proposal } from './propose.ts'
import type { Result } from './settle.ts'

export interface OptimizeReport {
  readonly title: string
  readonly results: readonly Result[]
  /** False in a dry run. */
  readonly applied: boolean
  readonly restarted: boolean
  /** What the plan says of the connections; undefined where no instances were named. */
  readonly plan: Outcome | undefined
  /** What went wrong, and what to do. */
  readonly trouble: readonly string[]
  /** SQL that takes back what was changed. */
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

/** What should be changed, or what has come of it. */
export function optimizeOutcome(report: OptimizeReport): Outcome {
  const { title, results, applied, restarted, plan, trouble, undo } = report
  const open = results.filter(({ standing }) => !['fine', 'kept', 'done'].includes(standing))
  const exitCode = open.length > 0 || trouble.length > 0 || (plan?.exitCode ?? 0) > 0 ? 1 : 0
  const text = [
    title,
    '',
    ...results.flatMap(printed),
    ...(plan ? ['', plan.text] : []),
    '',
    ...trouble,
    ...closing(report, open),
    ...(undo.length > 0 ? ['', `To undo: ${undo.map((statement) => `${statement};`).join(' ')}`] : []),
  ].join('\n')
  return { exitCode, text, json: { applied, restarted, settings: results, plan: plan?.json, trouble, undo } }
}

/** What is to be done, for whoever is asked. */
export function printProposals(proposals: readonly Proposal[]): string {
  return proposals.flatMap(printed).join('\n')
}

function printed({ name, standing, before, after, takesEffect, reason, note }: Result): string[] {
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
    return [count('done') > 0 ? paint('green', 'All of it is in force.') : paint('green', 'Nothing to do.')]
  }
  const restarts = open.filter(
    ({ standing, takesEffect }) => standing === 'waits' || (standing === 'change' && takesEffect === 'after a restart'),
  )
  const restart = "--restart-command 'systemctl restart postgresql'"
  if (!applied && count('change') > 0) {
    const how = restarts.length > 0 ? ` --apply ${restart}` : ' --apply'
    return [`Nothing was changed. To change it: poolguard optimize${how}, with the same options.`]
  }
  return restarts.length > 0 ? [`Restart PostgreSQL, or run it again with --apply ${restart}.`] : []
}
