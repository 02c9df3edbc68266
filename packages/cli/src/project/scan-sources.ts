import { type Dirent, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { CodeSetting } from './project-facts.ts'

const SKIPPED = new Set([
  'node_modules',
  'dist',
  'build',
  'coverage',
  'generated',
  'vendor',
  'test',
  'tests',
  '__tests__',
])
const SOURCE = /\.[cm]?[jt]sx?$/
const TEST = /\.(test|spec|d)\.[cm]?[jt]sx?$/
/** A project with more than this is looked at in part. */
const MOST_FILES = 3_000

/** Files that make pools say where they get them from. */
const USES_DATABASE = /['"](?:pg|postgres|typeorm|drizzle-orm[\w/-]*|@prisma\/[\w-]+|@poolguard\/[\w/-]+)['"]/

const PATTERNS: readonly (readonly [kind: CodeSetting['kind'], pattern: RegExp])[] = [
  ['max', /\b(?:max|poolSize)\s*:\s*(\d+)/g],
  ['prepare-false', /\bprepare\s*:\s*false\b/g],
  ['statement-names', /\bstatementNameGenerator\b/g],
]

/** A call that has to do with pools: other things have a `max`, too, as a rate limit beside them. */
const ABOUT_POOLS = /pool|postgres|\bpg\b|source|drizzle|prisma|typeorm|\bsql\b/i

/** Looks through the sources for what they say of pools: a look at the text, which is not run. */
export function scanSources(folder: string): CodeSetting[] {
  return sourceFiles(folder, [])
    .sort()
    .flatMap((file) => {
      const text = readFileSync(file, 'utf8')
      return USES_DATABASE.test(text) ? settingsIn(text, relative(folder, file).replaceAll('\\', '/')) : []
    })
}

function settingsIn(text: string, file: string): CodeSetting[] {
  const code = withoutComments(text)
  return PATTERNS.flatMap(([kind, pattern]) =>
    [...code.matchAll(pattern)]
      .filter(({ index }) => kind !== 'max' || ABOUT_POOLS.test(callAround(code, index) ?? 'pool'))
      .map((found) => {
        const line = code.slice(0, found.index).split('\n').length
        return { file, line, kind, value: Number(found[1] ?? 0) }
      }),
  )
}

/** Blank where comments were, so that every line keeps its number. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|(?<=^|\s)\/\/.*$/gm, (comment) => comment.replace(/[^\n]/g, ' '))
}

/** The innermost call with a name round a place, from that name up to the place; undefined outside of all calls. */
function callAround(code: string, place: number): string | undefined {
  let closed = 0
  for (let index = place - 1; index >= 0; index--) {
    if (code[index] === ')') closed++
    else if (code[index] === '(' && closed > 0) closed--
    else if (code[index] === '(') {
      const name = /[\w$.]+(?:<[^()]*>)?$/.exec(code.slice(Math.max(0, index - 100), index))?.[0]
      if (name !== undefined) return name + code.slice(index, place)
    }
  }
  return undefined
}

function sourceFiles(folder: string, found: string[]): string[] {
  for (const entry of entriesOf(folder)) {
    if (found.length >= MOST_FILES) break
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.')) sourceFiles(path, found)
    else if (entry.isFile() && SOURCE.test(entry.name) && !TEST.test(entry.name)) found.push(path)
  }
  return found
}

/** A folder that may not be looked into is passed over. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
