import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Driver, ProjectFacts } from './project-facts.ts'
import { readCompose } from './read-compose.ts'
import { readPgBouncerIni } from './read-pgbouncer-ini.ts'
import { readPrismaDirectUrl } from './read-prisma.ts'
import { scanSources } from './scan-sources.ts'

/** Reads a project's files, without running anything of it. Files that cannot be read count as not there. */
export function readProject(folder: string): ProjectFacts {
  const packages = readPackages(folder)
  const compose = readCompose(folder)
  return {
    packages,
    drivers: driversOf(packages),
    code: scanSources(folder),
    compose: compose?.facts,
    pgBouncer: readPgBouncerIni(folder) ?? compose?.pgBouncer,
    prismaDirectUrl: packages.has('prisma') || packages.has('@prisma/client') ? readPrismaDirectUrl(folder) : undefined,
  }
}

function readPackages(folder: string): ReadonlyMap<string, string> {
  const file = join(folder, 'package.json')
  if (!existsSync(file)) return new Map()
  try {
    const { dependencies, devDependencies } = JSON.parse(readFileSync(file, 'utf8')) as Record<
      string,
      Record<string, string>
    >
    return new Map(Object.entries({ ...devDependencies, ...dependencies }))
  } catch {
    return new Map()
  }
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
