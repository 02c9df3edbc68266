import type { Diagnosis } from '../../doctor/diagnose.ts'
import type { CheckReport } from '../check-report.ts'

/**
 * Annotations for GitHub Actions, and the verdict as the last line.
 * https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands
 */
export function checkGithub({ findings, verdict }: CheckReport): string {
  return [...findings.map(annotation), verdict].join('\n')
}

function annotation({ severity, rule, title, evidence, why, change, page, place }: Diagnosis): string {
  const properties = [
    ...(place ? [`file=${property(place.file)}`] : []),
    ...(place?.line === undefined ? [] : [`line=${place.line}`]),
    `title=${property(`${rule}: ${title}`)}`,
  ]
  const message = [evidence, why, change, page].join('\n')
  return `::${severity === 'critical' ? 'error' : 'warning'} ${properties.join(',')}::${data(message)}`
}

/** A line end would end the command, and begin a new one. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
