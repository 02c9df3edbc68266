import type { Dirent } from 'node:fs'
import { join } from 'node:path'
import { entriesOf } from './entries-of.ts'

const SKIPPED = new Set([
  'node_modules',
  'bower_components',
  'dist',
  'build',
  'out',
  'coverage',
  'generated',
  'vendor',
  'test',
  'tests',
  'e2e',
  'fixtures',
  '__tests__',
  '__mocks__',
  '__fixtures__',
])
const SOURCE = /\.[cm]?[jt]sx?$/
const TEST = /\.(test|spec|d)\.[cm]?[jt]sx?$/
/** Configuration of ORMs that is not a source. */
const CONFIGURATION = /^(ormconfig\.json|config\.json)$/

/** Beyond these limits, only part of the project is read. */
const MAX_FILES = 10_000
const MAX_ENTRIES = 100_000
const MAX_DEPTH = 30

/** The relevant files of a project, relative to its root, with `/`. */
export interface ProjectFiles {
  /** Sources, and JSON with options of an ORM. */
  readonly sources: readonly string[]
  /** `package.json` and, in Nx, `project.json`. */
  readonly manifests: readonly string[]
  /** `.env`, `.env.local`, `.env.production`... */
  readonly environments: readonly string[]
  readonly prismaSchemas: readonly string[]
  /** Not all directories were read. */
  readonly isPartial: boolean
}

interface Found {
  readonly sources: string[]
  readonly manifests: string[]
  readonly environments: string[]
  readonly prismaSchemas: string[]
}

/** Lists the relevant files below a directory, up to the limits. Does not follow links. */
export function walkProject(root: string): ProjectFiles {
  const found: Found = { sources: [], manifests: [], environments: [], prismaSchemas: [] }
  const open: [folder: string, depth: number][] = [['', 0]]
  let entries = 0
  let isPartial = false
  for (let next = open.shift(); next; next = open.shift()) {
    const [folder, depth] = next
    for (const entry of entriesOf(join(root, folder))) {
      if (++entries > MAX_ENTRIES || found.sources.length >= MAX_FILES) return { ...sorted(found), isPartial: true }
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && !isHidden(entry.name)) {
        if (depth < MAX_DEPTH) open.push([path, depth + 1])
        else isPartial = true
      } else if (!entry.isDirectory()) collect(found, entry, path)
    }
  }
  return { ...sorted(found), isPartial }
}

/** Pipes and links are listed where they have the name of a configuration, so that the report says why they are not read. */
function collect(found: Found, entry: Dirent, path: string): void {
  const { name } = entry
  if (name === 'package.json' || name === 'project.json') found.manifests.push(path)
  else if (/^\.env(\.|$)/.test(name)) found.environments.push(path)
  else if (name.endsWith('.prisma')) found.prismaSchemas.push(path)
  else if (entry.isFile() && ((SOURCE.test(name) && !TEST.test(name)) || CONFIGURATION.test(name)))
    found.sources.push(path)
}

function sorted({ sources, manifests, environments, prismaSchemas }: Found): Found {
  return {
    sources: sources.sort(),
    manifests: manifests.sort(),
    environments: environments.sort(),
    prismaSchemas: prismaSchemas.sort(),
  }
}

/** Prisma looks for its configuration in `.config`. */
function isHidden(name: string): boolean {
  return name.startsWith('.') && name !== '.config'
}
