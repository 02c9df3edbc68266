import { posix, relative, sep } from 'node:path'
import { type Diagnosis, diagnose } from '../doctor/diagnose.ts'
import type { Facts } from '../doctor/facts.ts'
import type { Severity } from '../doctor/rule.ts'
import { limitFor, sumsOf } from '../doctor/sums.ts'
import { t } from '../output/translate.ts'
import type { Place } from '../project/workload.ts'
import type { CheckedSum, CheckReport } from './check-report.ts'

export interface AssessOptions {
  /** The project's directory, relative to the working directory. */
  readonly directory: string
  readonly ignoredRules: readonly string[]
  /** The least severity that fails. */
  readonly failOn: Severity
}

/** Judges a project's files: the sums of its deployments, and every rule that needs no server. */
export function assess(facts: Facts, { directory, ignoredRules, failOn }: AssessOptions): CheckReport {
  const sums = sumsOf(facts).map((sum) => ({ sum, limit: limitFor(facts, sum) }))
  const findings = diagnose(facts)
    .filter(({ rule }) => !ignoredRules.includes(rule))
    .map((finding) => withPlace(finding, directory))
  const fails = findings.filter(({ severity }) => failOn === 'warning' || severity === 'critical')
  const { read, ignored } = facts.project.deployments
  const [exitCode, verdict] = judge(sums, findings.length, fails.length)
  return { sums, findings, read, ignored: [...ignored, ...facts.project.unread], exitCode, verdict }
}

function judge(sums: readonly CheckedSum[], findings: number, fails: number): [CheckReport['exitCode'], string] {
  if (fails > 0) return [1, findings === 1 ? t`1 problem.` : t`${findings} problems.`]
  const unknown = sums.find(({ limit }) => limit === undefined)
  if (unknown) {
    return [2, t`No limit is known for ${unknown.sum.deployment.name}: pass --max-connections <number> or --url <url>.`]
  }
  if (findings > 0)
    return [
      0,
      findings === 1 ? t`1 problem that does not fail the check.` : t`${findings} problems that do not fail the check.`,
    ]
  if (sums.length === 0) return [0, t`No pools found.`]
  const [largest] = sums.toSorted((a, b) => b.sum.total - a.sum.total)
  return [0, t`All pools fit: at most ${largest?.sum.total ?? 0} of ${largest?.limit?.usable ?? 0} connections.`]
}

/** A program that annotates files, such as GitHub, needs their paths from the working directory. */
function withPlace(finding: Diagnosis, directory: string): Diagnosis {
  return finding.place ? { ...finding, place: placeFrom(finding.place, directory) } : finding
}

function placeFrom({ file, ...rest }: Place, directory: string): Place {
  return { file: posix.join(directory, file), ...rest }
}

/** The path of a directory from the working directory, with `/`. */
export function relativeDirectory(folder: string, workingDirectory: string): string {
  return relative(workingDirectory, folder).split(sep).join('/')
}
