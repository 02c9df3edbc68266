import {
  type ConnectionString,
  type RewriteWarning,
  type RewriteWarningCode,
  toPg,
  toPostgresJs,
  toPrismaEngine,
  topologyTraits,
} from '@poolguard/core'
import type { Driver } from '../project/project-facts.ts'
import { type Facts, usesPoolguard } from './facts.ts'
import type { Finding } from './rule.ts'

/** What a driver makes of one part of the URL. */
export interface UrlWarning extends RewriteWarning {
  readonly driver: Driver
  readonly source: string
}

const LOST: readonly RewriteWarningCode[] = [
  'ignored-by-driver',
  'refused-by-driver',
  'refused-by-server',
  'flag-not-needed',
  'not-in-this-driver',
  'one-host-only',
]

/** What is lost or does harm in the drivers of this project. With poolguard most of what was meant comes true. */
export function urlWarnings(facts: Facts): readonly UrlWarning[] {
  const { target, project } = facts
  if (!target) return []
  const codes: readonly RewriteWarningCode[] = usesPoolguard(facts) ? LOST : [...LOST, 'translated']
  return project.drivers.flatMap((driver) =>
    warningsOf(driver, target.url, facts)
      // A wish that several parameters make has a name of its own, which nobody would find in the URL.
      .filter(
        ({ code, parameter }) =>
          codes.includes(code) && (code === 'one-host-only' || target.url.parameter(parameter) !== undefined),
      )
      .map((warning) => ({ ...warning, driver, source: target.source })),
  )
}

/** Whether connecting fails. postgres.js sends what it does not know to the server; only `max` is known, and misread. */
export function preventsConnecting({ code, driver, parameter }: UrlWarning): boolean {
  const refused = code === 'refused-by-driver' || code === 'refused-by-server'
  return refused || (driver === 'postgres.js' && code === 'translated' && parameter !== 'max')
}

export function urlFinding({ code, parameter, why, instead, driver, source }: UrlWarning): Finding {
  const out = `Take ${parameter} out of the URL`
  const reader = driver === 'prisma-engine' ? "Prisma's engine" : driver
  const says = /^(leave it out|it has been removed)/.test(instead) ? '' : `: ${instead}`
  return {
    evidence: `${parameter} in ${source}, read by ${reader}.`,
    why: `${/^(pg|postgres\.js)\b/.test(why) ? why : why.charAt(0).toUpperCase() + why.slice(1)}.`,
    change:
      code === 'translated'
        ? `${out} and set the driver's own option; or use poolguard, which reads it: there ${instead}.`
        : `${out}${says}.`,
  }
}

function warningsOf(driver: Driver, url: ConnectionString, { server }: Facts): readonly RewriteWarning[] {
  const traits = server && topologyTraits(server.topology)
  if (driver === 'prisma-engine') return toPrismaEngine(url, {}, traits).warnings
  return driver === 'pg' ? toPg(url, {}, traits).warnings : toPostgresJs(url, {}, traits).warnings
}
