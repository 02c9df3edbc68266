import { withPlainTexts } from '../output/printable.ts'
import type { Driver, ProjectFacts } from './project-facts.ts'
import { ProjectFolder } from './project-folder.ts'
import { readCompose } from './read-compose.ts'
import { readPgBouncerIni } from './read-pgbouncer-ini.ts'
import { readPrismaDirectUrl } from './read-prisma.ts'
import { scanSources } from './scan-sources.ts'

/** Reads a project's files, without running anything of it. */
export function readProject(path: string): ProjectFacts {
  const folder = new ProjectFolder(path)
  const { dependencies, devDependencies, workspaces } = readManifest(folder)
  const packages = new Map([...rangesOf(devDependencies), ...rangesOf(dependencies)])
  const compose = readCompose(folder)
  return withPlainTexts({
    packages,
    drivers: driversOf(packages),
    isWorkspaceRoot: workspaces !== undefined || folder.has('pnpm-workspace.yaml'),
    // What lies below a folder that is no project is of others.
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

/** Prisma has no engine of its own from 7 on, and none where an adapter is given. */
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
