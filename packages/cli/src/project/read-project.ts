import { withPlainTexts } from '../output/printable.ts'
import type { Driver, ProjectFacts } from './project-facts.ts'
import { ProjectFolder } from './project-folder.ts'
import { readCompose } from './read-compose.ts'
import { readPgBouncerIni } from './read-pgbouncer-ini.ts'
import { readPrismaDirectUrl } from './read-prisma.ts'
import { scanSources } from './scan-sources.ts'

/** Reads a project's files without running its code. */
export function readProject(path: string): ProjectFacts {
  const folder = new ProjectFolder(path)
  const { dependencies, devDependencies, workspaces } = readManifest(folder)
  const packages = new Map([...rangesOf(devDependencies), ...rangesOf(dependencies)])
  const compose = readCompose(folder)
  return withPlainTexts({
    packages,
    drivers: driversOf(packages),
    isWorkspaceRoot: workspaces !== undefined || folder.has('pnpm-workspace.yaml'),
    // Subdirectories of a directory without package.json belong to other projects.
    code: folder.has('package.json') ? scanSources(folder) : [],
    compose: compose?.facts,
    pgBouncer: readPgBouncerIni(folder) ?? compose?.pgBouncer,
    prismaDirectUrl: packages.has('prisma') || packages.has('@prisma/client') ? readPrismaDirectUrl(folder) : undefined,
    unread: folder.unread,
  })
}

interface Manifest {
  readonly dependencies?: unknown
  readonly devDependencies?: unknown
  readonly workspaces?: unknown
}

function readManifest(folder: ProjectFolder): Manifest {
  return folder.read('package.json', 'JSON', (text) => Object(JSON.parse(text)) as Manifest) ?? {}
}

function rangesOf(dependencies: unknown): [name: string, range: string][] {
  const entries = typeof dependencies === 'object' && dependencies !== null ? Object.entries(dependencies) : []
  return entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
}

/** Prisma 7 has no engine, and neither has Prisma with a driver adapter. */
function driversOf(packages: ReadonlyMap<string, string>): Driver[] {
  const prisma = packages.get('@prisma/client')
  const major = Number(/\d+/.exec(prisma ?? '')?.[0] ?? 7)
  const adapter = packages.has('@prisma/adapter-pg') || packages.has('@poolguard/prisma')
  const drivers: Driver[] = []
  if (prisma !== undefined && major < 7 && !adapter) drivers.push('prisma-engine')
  if (packages.has('pg') || packages.has('@prisma/adapter-pg')) drivers.push('pg')
  if (packages.has('postgres')) drivers.push('postgres.js')
  return drivers
}
