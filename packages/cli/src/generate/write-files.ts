import { lstatSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { CannotRunError } from '../outcome.ts'
import type { GeneratedFile } from './generated-file.ts'

/**
 * Writes all files, or none: checks for existing files first, and renames the drafts only after all of them have been
 * written.
 *
 * @throws {CannotRunError} if files exist and `replace` is false, or if the directory cannot be written.
 */
export function writeFiles(folder: string, files: readonly GeneratedFile[], replace: boolean): void {
  const targets = files.map(({ path, content }) => ({ path, content, file: join(folder, path) }))
  refuseLinkedFolders(folder, targets)
  const there = targets.filter(({ file }) => isThere(file))
  if (there.length > 0 && !replace) throw alreadyThere(there.map(({ path }) => path))
  const folders = there.filter(({ file }) => statSync(file, { throwIfNoEntry: false })?.isDirectory())
  if (folders.length > 0)
    throw new CannotRunError(
      `${folders.map(({ path }) => path).join(', ')}: a directory has this name. Nothing was written.`,
    )
  const drafts: { draft: string; file: string }[] = []
  try {
    for (const { file, content } of targets) {
      const draft = `${file}.poolguard-${process.pid}`
      mkdirSync(dirname(file), { recursive: true })
      drafts.push({ draft, file })
      writeFileSync(draft, content, { flag: 'wx' })
    }
    for (const { draft, file } of drafts) renameSync(draft, file)
  } catch (error) {
    for (const { draft } of drafts) rmSync(draft, { force: true })
    throw new CannotRunError(`${folder} cannot be written: ${(error as Error).message}.`)
  }
}

/** An untrusted project may contain a directory that is a link to another place. */
function refuseLinkedFolders(
  folder: string,
  targets: readonly { readonly path: string; readonly file: string }[],
): void {
  if (!isThere(folder)) return
  const root = realpathSync(folder)
  for (const { path, file } of targets) {
    const place = relative(root, realpathSync(nearestFolder(dirname(file))))
    if (place.split(/[\\/]/)[0] === '..' || isAbsolute(place)) {
      throw new CannotRunError(
        `${path} would be written outside ${folder}, because a directory in its path is a link. Nothing was written: remove the link, or choose another directory (--out).`,
      )
    }
  }
}

/** The directory itself, or its nearest existing parent. */
function nearestFolder(folder: string): string {
  return statSync(folder, { throwIfNoEntry: false }) || dirname(folder) === folder
    ? folder
    : nearestFolder(dirname(folder))
}

/** Also true for a dangling link. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined
  } catch {
    // A parent is not a directory; the write reports the error.
    return false
  }
}

function alreadyThere(paths: readonly string[]): CannotRunError {
  const exist = paths.length === 1 ? 'exists' : 'exist'
  return new CannotRunError(
    `${paths.join(', ')} already ${exist}. Nothing was written: choose another directory (--out), print the files (--print), or replace them (--force).`,
  )
}
