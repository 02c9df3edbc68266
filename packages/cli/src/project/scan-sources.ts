import { type Dirent, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { CodeSetting } from './project-facts.ts'
import type { ProjectFolder } from './project-folder.ts'
import { settingsIn } from './settings-in-source.ts'

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

/** Beyond these limits, only part of the project is read. */
const MAX_FILES = 3_000
const MAX_ENTRIES = 50_000
const MAX_DEPTH = 30
const MAX_MILLIS = 3_000

/** A file that creates a pool imports one of these packages. */
const USES_DATABASE = /['"](?:pg|postgres|typeorm|drizzle-orm[\w/-]*|@prisma\/[\w-]+|@poolguard\/[\w/-]+)['"]/

/** Finds pool settings in the text of the sources; no project code runs. */
export function scanSources(folder: ProjectFolder): CodeSetting[] {
  const walk = new SourceWalk(folder.path)
  const files = walk.files()
  const deadline = performance.now() + MAX_MILLIS
  const found: CodeSetting[] = []
  for (const file of files.sort()) {
    if (performance.now() > deadline) {
      walk.isPartial = true
      break
    }
    const settings = folder.read(file, 'text', (text) => (USES_DATABASE.test(text) ? settingsIn(text, file) : []))
    found.push(...(settings ?? []))
  }
  if (walk.isPartial) folder.reportSkipped('part of the sources', 'too many files')
  return found
}

/** Walks the source files below a directory, up to the limits. */
class SourceWalk {
  readonly #root: string
  readonly #files: string[] = []
  #entries = 0
  isPartial = false

  constructor(root: string) {
    this.#root = root
  }

  files(): string[] {
    this.#enter('', 0)
    return this.#files
  }

  #enter(folder: string, depth: number): void {
    for (const entry of entriesOf(join(this.#root, folder))) {
      const path = folder === '' ? entry.name : `${folder}/${entry.name}`
      const isFull = ++this.#entries > MAX_ENTRIES || this.#files.length >= MAX_FILES || depth > MAX_DEPTH
      if (isFull) {
        this.isPartial = true
        return
      }
      if (entry.isDirectory() && !SKIPPED.has(entry.name) && !entry.name.startsWith('.')) this.#enter(path, depth + 1)
      else if (entry.isFile() && SOURCE.test(entry.name) && !TEST.test(entry.name)) this.#files.push(path)
    }
  }
}

/** Skips directories without read permission. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
