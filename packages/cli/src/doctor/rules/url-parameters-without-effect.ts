import {
  type ConnectionString,
  type RewriteWarning,
  type RewriteWarningCode,
  toPg,
  toPostgresJs,
  toPrismaEngine,
  topologyTraits,
} from '@poolguard/core'
import type { Driver } from '../../project/project-facts.ts'
import { type Facts, usesPoolguard } from '../facts.ts'
import type { Finding, Rule } from '../rule.ts'

const LOST: readonly RewriteWarningCode[] = [
  'ignored-by-driver',
  'refused-by-driver',
  'refused-by-server',
  'flag-not-needed',
  'not-in-this-driver',
  'one-host-only',
]

export const urlParametersWithoutEffect: Rule = {
  id: 'url-parameters-without-effect',
  title: 'A parameter of the URL does nothing in this driver, or harm',
  severity: 'warning',
  check: (facts) => {
    const { target, project } = facts
    if (!target) return []
    // With poolguard what was meant comes true; the rest is lost with it, too.
    const codes: readonly RewriteWarningCode[] = usesPoolguard(facts) ? LOST : [...LOST, 'translated']
    return project.drivers.flatMap((driver) =>
      warningsOf(driver, target.url, facts)
        .filter(({ code }) => codes.includes(code))
        .map((warning) => finding(warning, driver, target.source)),
    )
  },
}

function warningsOf(driver: Driver, url: ConnectionString, { server }: Facts): readonly RewriteWarning[] {
  const traits = server && topologyTraits(server.topology)
  if (driver === 'prisma-engine') return toPrismaEngine(url, {}, traits).warnings
  return driver === 'pg' ? toPg(url, {}, traits).warnings : toPostgresJs(url, {}, traits).warnings
}

function finding({ code, parameter, why, instead }: RewriteWarning, driver: Driver, source: string): Finding {
  return {
    evidence: `${parameter} in ${source}, read by ${driver === 'prisma-engine' ? "Prisma's engine" : driver}.`,
    why: `${why.charAt(0).toUpperCase()}${why.slice(1)}.`,
    change:
      code === 'translated'
        ? `Take ${parameter} out of the URL and set the driver's own option; or use poolguard, which reads it: there ${instead}.`
        : `Take ${parameter} out of the URL: ${instead}.`,
  }
}
