import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import { describeChecks } from './describe-checks.ts'
import { type Diagnosis, diagnose } from './diagnose.ts'
import type { Facts } from './facts.ts'

/** The report. If nothing could be checked, the command could not run. */
export function doctorOutcome(facts: Facts): Outcome {
  const findings = diagnose(facts)
  const looked = describeChecks(facts)
  const [exitCode, verdict] = judge(findings, facts)
  const text = [...looked, '', ...findings.flatMap(printFinding), verdict].join('\n')
  return {
    exitCode,
    text,
    json: { looked, findings, ...(exitCode === 2 && { error: { code: 'CANNOT_RUN', message: verdict } }) },
  }
}

function judge(findings: readonly Diagnosis[], { server, unreached, project }: Facts): [Outcome['exitCode'], string] {
  if (findings.length > 0) return [1, count(findings)]
  if (server) return [0, paint('green', 'No problems found.')]
  // An empty report would look like a healthy database.
  if (unreached) return [2, `Cannot connect to the database: ${unreached.message}. The other checks found no problems.`]
  if (project.packages.size > 0 || project.compose || project.pgBouncer) {
    return [0, `${paint('green', 'No problems found in the project.')} The database was not checked.`]
  }
  return [2, 'Nothing to check: run doctor in the directory of a project, or pass the URL of a database.']
}

function printFinding({ severity, title, rule, evidence, why, change }: Diagnosis): string[] {
  const badge = severity === 'critical' ? paint('red', 'critical') : paint('yellow', 'warning')
  return [
    `${badge}  ${paint('bold', title)} (${rule})`,
    `  Seen:   ${evidence}`,
    `  Why:    ${why}`,
    `  Change: ${change.replaceAll('\n', '\n          ')}`,
    '',
  ]
}

function count(findings: readonly Diagnosis[]): string {
  const critical = findings.filter(({ severity }) => severity === 'critical').length
  const warnings = findings.length - critical
  return `${critical} critical, ${warnings} ${warnings === 1 ? 'warning' : 'warnings'}.`
}
