import type { Outcome } from '../outcome.ts'
import { alignLeft } from '../output/layout.ts'
import { paint } from '../output/paint.ts'
import { t } from '../output/translate.ts'
import type { Result } from './check-results.ts'
import type { Proposal } from './propose.ts'

export interface OptimizeReport {
  readonly title: string
  readonly results: readonly Result[]
  /** False in a dry run. */
  readonly applied: boolean
  readonly restarted: boolean
  /** Sessions of other clients before the changes: a restart ends them. */
  readonly sessions: number
  /** The plan's result; undefined without --instances. */
  readonly plan: Outcome | undefined
  /** Errors, and what to do about them. */
  readonly trouble: readonly string[]
  /** SQL that undoes the changes. */
  readonly undo: readonly string[]
}

const MARKS = {
  fine: ['green', () => t`fine`],
  done: ['green', () => t`done`],
  kept: ['gray', () => t`kept`],
  change: ['yellow', () => t`change`],
  waits: ['yellow', () => t`waits`],
  elsewhere: ['red', () => t`cannot`],
  failed: ['red', () => t`failed`],
} as const

const MARK_WIDTH = 6

const EFFECTS: Readonly<Record<Result['takesEffect'], () => string>> = {
  'on reload': () => t`on reload`,
  'after a restart': () => t`after a restart`,
  'in new sessions': () => t`in new sessions`,
}

/** Prints the proposed changes, or the result of applying them. */
export function optimizeOutcome(report: OptimizeReport): Outcome {
  const { title, results, applied, restarted, sessions, plan, trouble, undo } = report
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
    ...(restarted ? [endedSessions(sessions)] : []),
    ...(undo.length > 0 ? ['', t`To undo: ${undo.map((statement) => `${statement};`).join(' ')}`] : []),
  ].join('\n')
  return { exitCode, text, json: { applied, restarted, sessions, settings: results, plan: plan?.json, trouble, undo } }
}

/** The proposed changes, for the confirmation on a terminal. */
export function printProposals(proposals: readonly Proposal[]): string {
  return proposals.flatMap(printResult).join('\n')
}

/** Whether a proposal is in force only after a restart. */
export function needsRestart({ standing, takesEffect }: Result): boolean {
  return standing === 'waits' || (standing === 'change' && takesEffect === 'after a restart')
}

/** What a restart costs the clients. */
export function describeRestart(sessions: number): string {
  return sessions === 1
    ? t`A restart ends all sessions: 1 is open now. Its transaction is rolled back, and pools connect again.`
    : t`A restart ends all sessions: ${sessions} are open now. Their transactions are rolled back, and pools connect again.`
}

function endedSessions(sessions: number): string {
  return sessions === 1 ? t`The restart ended 1 session.` : t`The restart ended ${sessions} sessions.`
}

function printResult({ name, standing, before, after, takesEffect, reason, note }: Result): string[] {
  const [colour, mark] = MARKS[standing]
  const same = standing === 'fine' || standing === 'kept'
  const open = !same && standing !== 'done'
  const values = same ? before : `${before} -> ${after}`
  const when =
    standing === 'change' ? EFFECTS[takesEffect]() : standing === 'waits' ? EFFECTS['after a restart']() : undefined
  return [
    `${paint(colour, alignLeft(mark(), MARK_WIDTH))}  ${name}  ${values}${when === undefined ? '' : `  (${when})`}`,
    ...(open ? [`        ${reason}`] : []),
    ...(note === undefined ? [] : [`        ${note}`]),
  ]
}

function closing({ applied, results, sessions }: OptimizeReport, open: readonly Result[]): string[] {
  const count = (standing: Result['standing']) => results.filter((result) => result.standing === standing).length
  if (open.length === 0) {
    return [count('done') > 0 ? paint('green', t`All settings are in force.`) : paint('green', t`No changes needed.`)]
  }
  const restarts = open.filter(needsRestart)
  const restart = "--restart-command 'systemctl restart postgresql'"
  if (!applied && count('change') > 0) {
    const how = restarts.length > 0 ? ` --apply ${restart}` : ' --apply'
    return [
      t`Nothing was changed. To apply the changes, add:${how}`,
      ...(restarts.length > 0 ? [describeRestart(sessions)] : []),
    ]
  }
  if (restarts.length === 0) return []
  return [t`Restart PostgreSQL, or run optimize again with --apply ${restart}.`, describeRestart(sessions)]
}
