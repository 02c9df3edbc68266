import { parse } from 'yaml'
import type { ProjectFolder } from '../project-folder.ts'
import type { Manifest } from './manifest.ts'

/** Braces that expand to more than this are not expanded: a hostile pattern grows exponentially. */
const MAX_EXPANDED = 64
const MAX_PATTERNS = 200
const MAX_PATTERN = 200

/**
 * The patterns of a workspace's packages, from pnpm, npm, yarn, bun or lerna; undefined if the root is not a workspace. Nx and
 * Turborepo use those of the package manager; Nx also has projects without a package.json.
 */
export function workspacePatterns(folder: ProjectFolder, manifest: Manifest): readonly string[] | undefined {
  const pnpm = folder.has('pnpm-workspace.yaml') ? patternsOfPnpm(folder) : undefined
  const listed = textsOf(manifest.workspaces) ?? textsOf(recordOf(manifest.workspaces).packages)
  const lerna = folder.has('lerna.json')
    ? folder.read('lerna.json', 'JSON', (text) => textsOf(recordOf(JSON.parse(text)).packages))
    : undefined
  const isNx = folder.has('nx.json')
  if (!pnpm && !listed && !lerna && !isNx && !folder.has('turbo.json') && manifest.workspaces === undefined)
    return undefined
  return [...(pnpm ?? []), ...(listed ?? []), ...(lerna ?? []), ...(isNx ? ['apps/**', 'libs/**', 'packages/**'] : [])]
}

function patternsOfPnpm(folder: ProjectFolder): readonly string[] {
  return (
    folder.read('pnpm-workspace.yaml', 'YAML', (text) =>
      textsOf(recordOf(parse(text, { logLevel: 'error' })).packages),
    ) ?? []
  )
}

/** Versions that pnpm keeps in one place: `catalog:` and `catalog:name` in a package.json. */
export function readCatalogs(folder: ProjectFolder): ReadonlyMap<string, ReadonlyMap<string, string>> {
  if (!folder.has('pnpm-workspace.yaml')) return new Map()
  const read = folder.read('pnpm-workspace.yaml', 'YAML', (text) => recordOf(parse(text, { logLevel: 'error' })))
  const named = Object.entries(recordOf(read?.catalogs)).map(([name, entries]) => [name, rangesOf(entries)] as const)
  return new Map([['default', rangesOf(read?.catalog)], ...named])
}

function rangesOf(entries: unknown): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(recordOf(entries)).filter((each): each is [string, string] => typeof each[1] === 'string'),
  )
}

/** Whether a directory is one of the workspace's packages. A pattern with `!` excludes. */
export function isInWorkspace(path: string, patterns: readonly string[]): boolean {
  const expanded = patterns.flatMap((pattern) => expandBraces(pattern.trim().replace(/^\.\//, '').replace(/\/$/, '')))
  const matches = (pattern: string) =>
    matchesPath(
      path.split('/'),
      pattern.split('/').filter((part) => part !== ''),
    )
  const isExcluded = expanded.some(
    (pattern) => pattern.startsWith('!') && matches(pattern.slice(1).replace(/^\.\//, '')),
  )
  return !isExcluded && expanded.some((pattern) => !pattern.startsWith('!') && matches(pattern))
}

/** `{apps,packages}/*` as two patterns. */
function expandBraces(pattern: string): string[] {
  const open: string[] = [pattern]
  const done: string[] = []
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const start = next.indexOf('{')
    const end = next.indexOf('}', start)
    if (start < 0 || end < 0 || open.length + done.length > MAX_EXPANDED) done.push(next)
    else
      for (const each of next
        .slice(start + 1, end)
        .split(',')
        .slice(0, MAX_EXPANDED))
        open.push(next.slice(0, start) + each + next.slice(end + 1))
  }
  return done
}

/** Compares from both ends of what `**` leaves open, so that it takes linear time per `**`. */
function matchesPath(path: readonly string[], pattern: readonly string[]): boolean {
  let reachable = new Set([0])
  for (const part of pattern) {
    const next = new Set<number>()
    for (const at of reachable) {
      if (part === '**') for (let to = at; to <= path.length; to++) next.add(to)
      else if (at < path.length && matchesName(path[at] ?? '', part)) next.add(at + 1)
    }
    reachable = next
  }
  return reachable.has(path.length)
}

/** `*` and `?` within one name. */
function matchesName(name: string, part: string): boolean {
  let reachable = new Set([0])
  for (const character of part) {
    const next = new Set<number>()
    for (const at of reachable) {
      if (character === '*') for (let to = at; to <= name.length; to++) next.add(to)
      else if (at < name.length && (character === '?' || name[at] === character)) next.add(at + 1)
    }
    reachable = next
  }
  return reachable.has(name.length)
}

function textsOf(value: unknown): readonly string[] | undefined {
  return Array.isArray(value)
    ? value
        .filter((each): each is string => typeof each === 'string' && each.length <= MAX_PATTERN)
        .slice(0, MAX_PATTERNS)
    : undefined
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {}
}
