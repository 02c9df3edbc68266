import type { Outcome } from '../outcome.ts'
import { paint } from '../output/paint.ts'
import { describeLook } from './describe-look.ts'
import { type Diagnosis, diagnose } from './diagnose.ts'
import type { Facts } from './facts.ts'

/** The report. Where nothing at all could be looked at, the command could not run. */
export function doctorOutcome(facts: Facts): Outcome {
  const findings = diagnose(facts)
  const looked = describeLook(facts)
  const [exitCode, verdict] = judge(findings, facts)
  const text = [...looked, '', ...findings.flatMap(printed), verdict].join('\n')
  return {
    exitCode,
    text,
    json: { looked, findings, ...(exitCode === 2 && { error: { code: 'CANNOT_RUN', message: verdict } }) },
  }
}

function judge(findings: readonly Diagnosis[], { server, unreached, project }: Facts): [Outcome['exitCode'], string] {
  if (findings.length > 0) return [1, count(findings)]
  if (server) return [0, paint('green', 'Nothing to complain about.')]
  // Silence would be taken for health.
  if (unreached) return [2, `The database could not be asked: ${unreached.message}. Nothing is wrong with the rest.`]
  if (project.packages.size > 0 || project.compose || project.pgBouncer) {
    return [0, `${paint('green', 'Nothing to complain about in the project.')} The database was not asked.`]
  }
  return [2, 'Nothing could be checked: run it in the folder of a project, or give the URL of a database.']
}

function printed({ severity, title, rule, evidence, why, change }: Diagnosis): string[] {
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
