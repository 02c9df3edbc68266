import type { Outcome } from '../outcome.ts'
import { widthOf, wrapBehind } from '../output/layout.ts'
import { paint } from '../output/paint.ts'
import { joinSentences, t, translate } from '../output/translate.ts'
import { describeChecks } from './describe-checks.ts'
import { type Diagnosis, diagnose } from './diagnose.ts'
import type { Facts } from './facts.ts'
import { holdersData, listHolders } from './list-holders.ts'
import type { Severity, Step } from './rule.ts'
import { cannotConnect } from './rules/cannot-connect.ts'

export interface ReportOptions {
  /** Rules whose findings are left out. */
  readonly ignored?: readonly string[] | undefined
  /** The least severity that makes the command fail. Default `warning`. */
  readonly failOn?: Severity | undefined
}

/** The report, with the most urgent finding first. If nothing could be checked, the command could not run. */
export function doctorOutcome(facts: Facts, { ignored = [], failOn = 'warning' }: ReportOptions = {}): Outcome {
  const findings = diagnose(facts).filter(({ rule }) => !ignored.includes(rule))
  const looked = describeChecks(facts)
  const [exitCode, verdict] = judge(findings, facts, failOn)
  const ignores = ignored.length > 0 ? [t`Ignored rules: ${ignored.join(', ')}.`] : []
  const read = [...looked, ...ignores].map((line) => wrapBehind('', line))
  const [database = '', ...rest] = read
  // In an outage the first screen counts: only the address precedes the findings.
  const holders = listHolders(facts.server)
  const text = [
    database,
    '',
    ...findings.flatMap(printFinding),
    wrapBehind('', verdict),
    '',
    ...holders,
    ...(holders.length > 0 ? [''] : []),
    ...rest,
  ]
  return {
    exitCode,
    text: text.join('\n'),
    json: {
      looked,
      findings,
      ...(facts.server && { processes: holdersData(facts.server) }),
      ...(exitCode === 2 && { error: { code: 'CANNOT_RUN', message: verdict } }),
    },
  }
}

function judge(
  findings: readonly Diagnosis[],
  { server, unreached, sqlite, project, app }: Facts,
  failOn: Severity,
): [Outcome['exitCode'], string] {
  const others = findings.filter(({ rule }) => rule !== cannotConnect.id)
  if (others.length > 0) {
    const fails = failOn === 'warning' || findings.some(({ severity }) => severity === 'critical')
    return [fails ? 1 : 0, count(findings)]
  }
  if (server || sqlite || (app && app.error === undefined)) return [0, paint('green', t`No problems found.`)]
  // Without other findings, the report would look like that of a healthy database.
  if (unreached)
    return [2, t`Cannot connect to the database: ${unreached.message}. The other checks found no problems.`]
  if (project.packages.size > 0 || project.deployments.read.length > 0 || project.pgBouncer) {
    return [0, joinSentences(paint('green', t`No problems found in the project.`), t`The database was not checked.`)]
  }
  return [2, t`Nothing to check: run doctor in the directory of a project, or pass the URL of a database.`]
}

/** A finding for people, as lines. */
export function printFinding({ severity, title, rule, page, evidence, why, now = [], change }: Diagnosis): string[] {
  const badge = severity === 'critical' ? paint('red', t`critical`) : paint('yellow', t`warning`)
  return [
    `${badge}  ${paint('bold', translate(title))} (${rule})`,
    wrapBehind(t`  Seen:   `, evidence),
    wrapBehind(t`  Why:    `, why),
    ...printSteps(now),
    wrapBehind(t`  Change: `, change),
    wrapBehind(t`  More:   `, page),
    '',
  ]
}

/** Each statement is on a line of its own, in full length, so that it can be pasted. */
function printSteps(steps: readonly Step[]): string[] {
  const label = t`  Now:    `
  return steps.flatMap(({ text, run }, index) => [
    wrapBehind(index === 0 ? label : ' '.repeat(widthOf(label)), text),
    paint('bold', `    ${run}`),
  ])
}

function count(findings: readonly Diagnosis[]): string {
  const critical = findings.filter(({ severity }) => severity === 'critical').length
  const warnings = findings.length - critical
  return warnings === 1 ? t`${critical} critical, 1 warning.` : t`${critical} critical, ${warnings} warnings.`
}
