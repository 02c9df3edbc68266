import { t } from '../output/translate.ts'
import { type AppInProject, programsOf } from '../project/apps/app-in-project.ts'
import type { PoolInSource } from '../project/pool-in-source.ts'
import type { Facts } from './facts.ts'
import { sumsOf } from './sums.ts'

const KNOWN = [
  '@prisma/client',
  'drizzle-orm',
  'typeorm',
  'knex',
  'sequelize',
  '@mikro-orm/core',
  'pg',
  'postgres',
  '@nestjs/core',
  'fastify',
  'next',
]

/** Longer lists are cut: the report is for a terminal. */
const MAX_LISTED = 12

/** What doctor read in the project, what it assumed, and what it ignored. */
export function describeProject(facts: Facts): readonly string[] {
  const { project } = facts
  const { apps, pools } = project
  if (project.packages.size === 0)
    return [t`Project: no package.json with dependencies in this directory.`, ...skipped(facts)]
  const programs = programsOf(apps).filter(({ folder }) => folder !== '')
  const lines = [t`Project: ${known(project.packages) || t`no known ORM or driver`}.`]
  if (programs.length > 0) lines.push(t`Apps: ${list(programs.map(describeApp))}.`)
  else if (project.isWorkspaceRoot && project.drivers.length === 0)
    lines.push(t`This is the root of a monorepo, and none of its packages uses PostgreSQL.`)
  if (pools.length > 0) lines.push(t`Pools in the sources: ${list(pools.map(describePool))}.`)
  return [
    ...lines,
    ...describeEnvironment(apps),
    ...describeDeployments(facts),
    ...assumptions(facts),
    ...skipped(facts),
  ]
}

function known(packages: ReadonlyMap<string, string>): string {
  return KNOWN.filter((name) => packages.has(name))
    .map((name) => `${name} ${packages.get(name)}`)
    .join(', ')
}

function describeApp({ folder, packages }: AppInProject): string {
  const names = KNOWN.filter((name) => packages.has(name))
  return names.length > 0 ? `${folder} (${names.join(', ')})` : folder
}

function describePool(pool: PoolInSource): string {
  const { library, file, line, max, maxFile, maxLine, pools, per, role, guarded } = pool
  const size = max === undefined ? t`unknown size` : `max ${max}`
  const isElsewhere = maxFile !== file || maxLine !== line
  const place = isElsewhere || pool.maxFrom.kind === 'default' ? placeOfSize(pool) : `${file}:${line}`
  const notes = [
    ...(guarded ? [t`through poolguard`] : []),
    ...(pools > 1 ? [t`${pools} pools`] : []),
    ...(per === 'call' ? [t`one for each call`] : []),
    ...(per === 'reload' ? [t`one for each reload in development`] : []),
    ...(role === 'script' ? [t`in a script`] : []),
  ]
  return [`${library} ${size} (${place})`, ...notes].join(', ')
}

/** The line that sets the size of a pool. */
function placeOfSize({ maxFile, maxLine, maxFrom, library }: PoolInSource): string {
  const place = `${maxFile}:${maxLine}`
  return maxFrom.kind === 'default' ? t`${place}, the default of ${library}` : place
}

function describeEnvironment(apps: readonly AppInProject[]): string[] {
  const files = (pick: (app: AppInProject) => readonly string[]) => [...new Set(apps.flatMap(pick))]
  const used = files(({ environment }) => environment.used.map(({ file }) => file))
  const others = files(({ environment }) => environment.others.map(({ file }) => file)).filter(
    (file) => !used.includes(file),
  )
  const ignored = files(({ environment }) => environment.ignored)
  const [example] = others
  return [
    ...(used.length > 0 ? [t`Environment: ${list(used)}.`] : []),
    ...(example !== undefined
      ? [
          t`For another mode, read but not connected to: ${list(others)}. To check such a database: --dotenv ${example}.`,
        ]
      : []),
    ...(ignored.length > 0 ? [t`Ignored as samples: ${list(ignored)}.`] : []),
  ]
}

function describeDeployments(facts: Facts): string[] {
  const { read, ignored } = facts.project.deployments
  const sums = sumsOf(facts).filter(({ isAssumed }) => !isAssumed)
  const isUnknown = sums.length === 0 && facts.project.pools.length > 0
  const isWithoutCores = sums.length > 0 && facts.cores === undefined
  return [
    ...(read.length > 0 ? [t`Deployment files: ${list(read)}.`] : []),
    ...(ignored.length > 0 ? [t`Recognized and not read: ${list(ignored)}.`] : []),
    ...new Set(sums.flatMap(({ assumed }) => assumed)),
    ...(isUnknown
      ? [t`Not checked: whether all pools fit. No deployment file says how many instances run; pass --instances.`]
      : []),
    ...(isWithoutCores
      ? [
          t`Not checked: whether the server can keep the connections of all pools busy. It does not report its cores; pass --cores.`,
        ]
      : []),
  ]
}

/** Sizes that no file contains. */
function assumptions({ project }: Facts): string[] {
  const assumed = new Set(
    project.pools.flatMap(({ maxFrom }) => ('assumes' in maxFrom && maxFrom.assumes ? [maxFrom.assumes] : [])),
  )
  const unknown = project.pools.flatMap(({ maxFrom, maxFile, maxLine }) =>
    maxFrom.kind === 'unknown' ? [`${maxFrom.expression} (${maxFile}:${maxLine})`] : [],
  )
  return [
    ...[...assumed].map((each) => t`Assumed: ${each}, for the size of Prisma's pool.`),
    ...(unknown.length > 0 ? [t`Assumed: 10 connections for sizes that cannot be computed: ${list(unknown)}.`] : []),
  ]
}

function skipped({ project }: Facts): string[] {
  return project.unread.length > 0 ? [t`Skipped: ${project.unread.join(', ')}.`] : []
}

function list(texts: readonly string[]): string {
  const rest = texts.length - MAX_LISTED
  return rest > 0 ? `${texts.slice(0, MAX_LISTED).join('; ')}; ${t`${rest} more`}` : texts.join('; ')
}
