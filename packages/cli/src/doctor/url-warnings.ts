import {
  type ConnectionString,
  parseConnectionString,
  type RewriteWarning,
  type RewriteWarningCode,
  toPg,
  toPostgresJs,
  toPrismaEngine,
  topologyTraits,
} from '@poolguard/core/postgres'
import { t } from '../output/translate.ts'
import { translateFromCore } from '../output/translate-from-core.ts'
import type { Driver } from '../project/driver.ts'
import type { ProjectFacts } from '../project/project-facts.ts'
import type { Place } from '../project/workload.ts'
import { describePlace } from '../sum/describe-sum.ts'
import { type Facts, usesPoolguard } from './facts.ts'
import type { Finding } from './rule.ts'

/** A part of the URL that a driver ignores or rejects. */
export interface UrlWarning extends RewriteWarning {
  readonly driver: Driver
  readonly source: string
  /** The driver, as the project knows it. */
  readonly reader: string
  /** The line of the URL or of the parameter, if a file has it. */
  readonly place?: Place | undefined
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

/** A URL of the project, or a parameter that its sources add to one, and the drivers that read it. */
interface ReadUrl {
  readonly url: ConnectionString
  readonly source: string
  readonly drivers: readonly Driver[]
  readonly place?: Place
}

/** Parameters that the project's drivers ignore or reject. poolguard translates most of them. */
export function urlWarnings(facts: Facts): readonly UrlWarning[] {
  const codes: readonly RewriteWarningCode[] = usesPoolguard(facts) ? LOST : [...LOST, 'translated']
  return urlsOf(facts).flatMap(({ url, source, drivers, place }) =>
    drivers.flatMap((driver) =>
      warningsOf(driver, url, facts)
        // A setting derived from several parameters has its own name, which is not in the URL.
        .filter(
          ({ code, parameter }) =>
            codes.includes(code) && (code === 'one-host-only' || url.parameter(parameter) !== undefined),
        )
        .map((warning) => ({ ...warning, driver, source, place, reader: readerOf(driver, facts) })),
    ),
  )
}

function urlsOf({ target, otherTargets, project }: Facts): readonly ReadUrl[] {
  const driversIn = (folder: string | undefined) => driversOf(project, folder)
  const added = project.urlParameters.map(({ file, line, parameter, value, app }) => ({
    url: (target?.url ?? ANY_URL).with({ parameters: [[parameter, value]] }),
    source: `${file}:${line}`,
    drivers: driversIn(app),
    place: { file, line },
  }))
  const others = otherTargets.map(({ url, source, app }) => ({ url, source, drivers: driversIn(app) }))
  const own = [...(target ? [{ ...target, drivers: driversIn(target.app) }] : []), ...others]
  // A service can take its URL from the app's own environment.
  const deployed = deployedUrls(project, driversIn).filter(({ url }) => !own.some((each) => `${each.url}` === `${url}`))
  return [...own, ...added, ...deployed]
}

/** The drivers of an app and of the project's packages that it uses; if there are none, those of the whole project. */
function driversOf({ apps, drivers }: ProjectFacts, folder = ''): readonly Driver[] {
  const app = folder === '' ? undefined : apps.find((each) => each.folder === folder)
  if (!app) return drivers
  const used = apps.filter((each) => each === app || app.dependsOn.includes(each.folder))
  const own = [...new Set(used.flatMap((each) => each.drivers))]
  return own.length > 0 ? own : drivers
}

/** URLs in the environment of the workloads of deployment files. */
function deployedUrls(
  project: ProjectFacts,
  driversIn: (folder: string | undefined) => readonly Driver[],
): readonly ReadUrl[] {
  const all = project.deployments.deployments.flatMap(({ workloads }) =>
    workloads.flatMap(({ app, variables }) =>
      [...variables].flatMap(([name, { value, place }]) => {
        const url = /^postgres(ql)?:/.test(value) ? readUrl(value) : undefined
        const source = `${name} (${describePlace(place)})`
        return url ? [{ url, source, drivers: driversIn(app), place }] : []
      }),
    ),
  )
  // Several services can share a line, and an env_file is also one of the app's own files.
  const environments = new Set(
    project.apps.flatMap(({ environment: { used, others } }) => [...used, ...others].map(({ file }) => file)),
  )
  const own = all.filter(({ place }) => !environments.has(place.file))
  return [...new Map(own.map((each) => [each.source, each])).values()]
}

/** A URL of a file; undefined if it is not valid, such as one with a variable in place of the port. */
function readUrl(text: string): ConnectionString | undefined {
  try {
    return parseConnectionString(text)
  } catch {
    return undefined
  }
}

/** For parameters that the sources add to a URL that is not known. */
const ANY_URL = parseConnectionString('postgresql://localhost/app')

/** Whether connecting fails. postgres.js sends unknown parameters to the server; it knows `max`, but misreads it. */
export function preventsConnecting({ code, driver, parameter }: UrlWarning): boolean {
  const refused = code === 'refused-by-driver' || code === 'refused-by-server'
  return refused || (driver === 'postgres.js' && code === 'translated' && parameter !== 'max')
}

/** A user of Prisma 7 may not know that Prisma connects through pg. */
function readerOf(driver: Driver, { project }: Facts): string {
  if (driver === 'prisma-engine') return t`Prisma's engine`
  return driver === 'pg' && project.packages.has('@prisma/client') ? t`pg, under Prisma` : driver
}

export function urlFinding({ code, parameter, why, instead, reader, source, place }: UrlWarning): Finding {
  const [, option] = /^(?:the option )?(\w+) has been set/.exec(instead) ?? []
  return {
    evidence: t`${parameter} in ${source}, read by ${reader}.`,
    why: translateFromCore(`${/^(pg|postgres\.js)\b/.test(why) ? why : why.charAt(0).toUpperCase() + why.slice(1)}.`),
    change: code === 'translated' ? translated(parameter, option) : removed(parameter, instead),
    data: { parameter, code, source, reader },
    ...(place && { place }),
  }
}

function translated(parameter: string, option: string | undefined): string {
  return option === undefined
    ? t`Remove ${parameter} from the URL, or use poolguard, which translates it.`
    : t`Remove ${parameter} from the URL and set ${option} in the code, or use poolguard, which translates it.`
}

function removed(parameter: string, instead: string): string {
  return /^(leave it out|it has been removed)/.test(instead)
    ? t`Remove ${parameter} from the URL.`
    : t`Remove ${parameter} from the URL: ${translateFromCore(instead)}.`
}

function warningsOf(driver: Driver, url: ConnectionString, { server }: Facts): readonly RewriteWarning[] {
  const traits = server && topologyTraits(server.topology)
  const { warnings, repairs } = REWRITERS[driver](url, {}, { topology: traits })
  return [...repairs, ...warnings]
}
