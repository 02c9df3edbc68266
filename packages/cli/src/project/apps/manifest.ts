import type { Driver } from '../driver.ts'
import type { ProjectFolder } from '../project-folder.ts'

/** The relevant parts of a package.json. */
export interface Manifest {
  readonly name?: unknown
  readonly dependencies?: unknown
  readonly devDependencies?: unknown
  readonly optionalDependencies?: unknown
  readonly peerDependencies?: unknown
  readonly workspaces?: unknown
  readonly scripts?: unknown
}

export function readManifest(folder: ProjectFolder, file: string): Manifest {
  return folder.read(file, 'JSON', (text) => Object(JSON.parse(text)) as Manifest) ?? {}
}

/** All dependencies and their ranges; those of the app win over those for development. */
export function packagesOf(
  manifest: Manifest,
  catalogs: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map(),
): Map<string, string> {
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest
  const all = [peerDependencies, devDependencies, optionalDependencies, dependencies].flatMap(rangesOf)
  return new Map(all.map(([name, range]) => [name, fromCatalog(name, range, catalogs)]))
}

function fromCatalog(name: string, range: string, catalogs: ReadonlyMap<string, ReadonlyMap<string, string>>): string {
  if (!range.startsWith('catalog:')) return range
  return catalogs.get(range.slice('catalog:'.length).trim() || 'default')?.get(name) ?? range
}

function rangesOf(dependencies: unknown): [name: string, range: string][] {
  const entries = typeof dependencies === 'object' && dependencies !== null ? Object.entries(dependencies) : []
  return entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
}

/** Prisma 7 has no engine, and neither has Prisma with a driver adapter. */
export function driversOf(packages: ReadonlyMap<string, string>): Driver[] {
  const prisma = packages.get('@prisma/client')
  const major = Number(/\d+/.exec(prisma ?? '')?.[0] ?? 7)
  const adapter = packages.has('@prisma/adapter-pg') || packages.has('@poolguard/prisma')
  const drivers: Driver[] = []
  if (prisma !== undefined && major < 7 && !adapter) drivers.push('prisma-engine')
  if (packages.has('pg') || packages.has('@prisma/adapter-pg')) drivers.push('pg')
  if (packages.has('postgres')) drivers.push('postgres.js')
  return drivers
}

/** Frameworks whose development server loads a changed module again and keeps the process. */
const RELOADING = [
  'next',
  'nuxt',
  'astro',
  '@sveltejs/kit',
  '@remix-run/dev',
  '@react-router/dev',
  '@solidjs/start',
  '@tanstack/react-start',
]

export function reloadsModules(packages: ReadonlyMap<string, string>): boolean {
  return RELOADING.some((name) => packages.has(name))
}
