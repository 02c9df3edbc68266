import { lstatSync, mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { CannotRunError } from '../outcome.ts'
import type { GeneratedFile } from './generated-file.ts'

/**
 * Writes all files, or none: what is there already is named before the first byte is written, and each file gets its
 * name only when all have been written.
 *
 * @throws {CannotRunError} for files that are there, unless they may be replaced, and where the folder cannot be written.
 */
export function writeFiles(folder: string, files: readonly GeneratedFile[], replace: boolean): void {
  const targets = files.map(({ path, content }) => ({ path, content, file: join(folder, path) }))
  refuseLinkedFolders(folder, targets)
  const there = targets.filter(({ file }) => isThere(file))
  if (there.length > 0 && !replace) throw alreadyThere(there.map(({ path }) => path))
  const folders = there.filter(({ file }) => statSync(file, { throwIfNoEntry: false })?.isDirectory())
  if (folders.length > 0)
    throw new CannotRunError(
      `${folders.map(({ path }) => path).join(', ')}: there is a folder of that name. Nothing was written.`,
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

/** A project from elsewhere may have a folder that is a link to another place. */
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
        `${path} would be written outside of ${folder}: a folder on its way is a link. Nothing was written: remove the link, or give another folder (--out).`,
      )
    }
  }
}

/** The folder itself, or the first one above it that exists. */
function nearestFolder(folder: string): string {
  return statSync(folder, { throwIfNoEntry: false }) || dirname(folder) === folder
    ? folder
    : nearestFolder(dirname(folder))
}

/** A link is there even where it leads nowhere. */
function isThere(file: string): boolean {
  try {
    return lstatSync(file, { throwIfNoEntry: false }) !== undefined
  } catch {
    // Below what is no folder there is nothing; writing tells why.
    return false
  }
}

function alreadyThere(paths: readonly string[]): CannotRunError {
  const are = paths.length === 1 ? 'is' : 'are'
  return new CannotRunError(
    `${paths.join(', ')} ${are} there already. Nothing was written: give another folder (--out), look first (--print), or replace (--force).`,
  )
}
