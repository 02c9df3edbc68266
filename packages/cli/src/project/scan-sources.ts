import { readdirSync, readFileSync } from 'node:fs'
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
  ['max', /\b(?:max|poolSize)\s*:\s*(\d+)/],
  ['prepare-false', /\bprepare\s*:\s*false\b/],
  ['statement-names', /\bstatementNameGenerator\b/],
]

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
  return text.split('\n').flatMap((line, index) => {
    const code = line.replace(/(^|\s)\/\/.*$/, '')
    return PATTERNS.flatMap(([kind, pattern]) => {
      const found = pattern.exec(code)
      return found ? [{ file, line: index + 1, kind, value: Number(found[1] ?? 0) }] : []
    })
  })
}

function sourceFiles(folder: string, found: string[]): string[] {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (found.length >= MOST_FILES) break
    const path = join(folder, entry.name)
    if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.')) sourceFiles(path, found)
    else if (entry.isFile() && SOURCE.test(entry.name) && !TEST.test(entry.name)) found.push(path)
  }
  return found
}
