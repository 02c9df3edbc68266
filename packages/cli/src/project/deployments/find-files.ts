import { join } from 'node:path'
import { t } from '../../output/translate.ts'
import { entriesOf } from '../entries-of.ts'
import type { ProjectFolder } from '../project-folder.ts'

/** Directories that contain no deployment files of this project. */
const SKIPPED = new Set([
  'node_modules',
  'dist',
  'build',
  'coverage',
  'vendor',
  'fixtures',
  '__tests__',
  'test',
  'tests',
  'src',
])

/** Where deployment files usually are. */
const USUAL =
  /^(k8s|kubernetes|kube|deploy(ment)?s?|infra(structure)?|charts?|helm|manifests?|ops|docker|compose|ecs|base|overlays?|env(ironment)?s?|prod(uction)?|staging)$/i

/** Beyond these limits, only part of the project is read. */
const MAX_ENTRIES = 20_000
const MAX_FILES = 500
/** Deployment files are not deeper. */
const MAX_DEPTH = 6

/** Finds files by name below the project's root; hidden directories are not read. */
export function findFiles(folder: ProjectFolder, isWanted: (name: string, path: string) => boolean): string[] {
  const found: string[] = []
  // A directory that is no project can contain others; only its deployment files are its own.
  const isProject = folder.has('package.json') || folder.has('.git')
  let entries = 0
  let isPartial = false
  const enter = (path: string, depth: number) => {
    for (const entry of entriesOf(join(folder.path, path))) {
      const inner = path === '' ? entry.name : `${path}/${entry.name}`
      if (++entries > MAX_ENTRIES || found.length >= MAX_FILES) {
        isPartial = true
        return
      }
      if (entry.isDirectory()) {
        const isOwn = isProject || depth > 0 || USUAL.test(entry.name)
        if (isOwn && depth < MAX_DEPTH && !SKIPPED.has(entry.name) && !entry.name.startsWith('.'))
          enter(inner, depth + 1)
      } else if (isWanted(entry.name, inner)) found.push(inner)
    }
  }
  enter('', 0)
  if (isPartial) folder.reportSkipped(t`part of the deployment files`, t`too many files`)
  return found.sort()
}
