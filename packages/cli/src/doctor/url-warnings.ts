import {
  type ConnectionString,
  type RewriteWarning,
  type RewriteWarningCode,
  toPg,
  toPostgresJs,
  toPrismaEngine,
  topologyTraits,
} from '@poolguard/core/postgres'
import type { Driver } from '../project/project-facts.ts'
import { type Facts, usesPoolguard } from './facts.ts'
import type { Finding } from './rule.ts'

/** What a driver makes of one part of the URL. */
export interface UrlWarning extends RewriteWarning {
  readonly driver: Driver
  readonly source: string
  /** Who reads it, in the words of the project. */
  readonly reader: string
}

const REWRITERS = { pg: toPg, 'postgres.js': toPostgresJs, 'prisma-engine': toPrismaEngine } as const

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
      .map((warning) => ({ ...warning, driver, source: target.source, reader: readerOf(driver, facts) })),
  )
}

/** Whether connecting fails. postgres.js sends what it does not know to the server; only `max` is known, and misread. */
export function preventsConnecting({ code, driver, parameter }: UrlWarning): boolean {
  const refused = code === 'refused-by-driver' || code === 'refused-by-server'
  return refused || (driver === 'postgres.js' && code === 'translated' && parameter !== 'max')
}

/** Nobody who has Prisma 7 has heard of the pg in it. */
function readerOf(driver: Driver, { project }: Facts): string {
  if (driver === 'prisma-engine') return "Prisma's engine"
  return driver === 'pg' && project.packages.has('@prisma/client') ? 'pg, under Prisma' : driver
}

export function urlFinding({ code, parameter, why, instead, reader, source }: UrlWarning): Finding {
  const out = `Take ${parameter} out of the URL`
  const [, option] = /^(?:the option )?(\w+) has been set/.exec(instead) ?? []
  const says = /^(leave it out|it has been removed)/.test(instead) ? '' : `: ${instead}`
  return {
    evidence: `${parameter} in ${source}, read by ${reader}.`,
    why: `${/^(pg|postgres\.js)\b/.test(why) ? why : why.charAt(0).toUpperCase() + why.slice(1)}.`,
    change:
      code === 'translated'
        ? `${out}${option ? `, and give ${option} in the code` : ''}; or use poolguard, which gives it its meaning.`
        : `${out}${says}.`,
  }
}

function warningsOf(driver: Driver, url: ConnectionString, { server }: Facts): readonly RewriteWarning[] {
  const traits = server && topologyTraits(server.topology)
  const { warnings, repairs } = REWRITERS[driver](url, {}, traits)
  return [...repairs, ...warnings]
}
