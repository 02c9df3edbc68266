import { lstatSync, realpathSync, statSync } from 'node:fs'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { readFileInside, UnreadableFileError } from '../project/read-regular-file.ts'
import { replaceFiles } from '../project/replace-files.ts'
import { type GeneratedFile, MARK } from './generated-file.ts'
import { mergeEnvironment } from './merge-environment.ts'

/**
 * Writes all files, or none, and checks for existing files first. An existing `.env.example` keeps its lines and gets the new
 * variables.
 *
 * @throws {CannotRunError} if files exist and `replace` is false, or if the directory cannot be written.
 */
export function writeFiles(folder: string, files: readonly GeneratedFile[], replace: boolean): void {
  const targets = files.map((each) => ({ ...each, file: join(folder, each.path) }))
  refuseLinkedFolders(folder, targets)
  const merged = new Map(targets.flatMap((target) => mergedContent(folder, target)))
  const there = targets.filter(({ path, file }) => isThere(file) && !merged.has(path))
  if (there.length > 0 && !replace) throw alreadyThere(there.map(({ path }) => path))
  const folders = there.filter(({ file }) => statSync(file, { throwIfNoEntry: false })?.isDirectory())
  if (folders.length > 0)
    throw new CannotRunError(
      t`${folders.map(({ path }) => path).join(', ')}: a directory has this name. Nothing was written.`,
    )
  try {
    replaceFiles(targets.map(({ path, file, content }) => ({ file, text: merged.get(path) ?? content })))
  } catch (error) {
    throw new CannotRunError(t`${folder} cannot be written: ${(error as Error).message}.`)
  }
}

/** The existing file with the generated variables, unless poolguard has generated all of it. */
function mergedContent(
  folder: string,
  { path, content, isEnvironment }: GeneratedFile,
): [path: string, text: string][] {
  // A link stays a link: the user decides.
  if (isEnvironment !== true || !lstatSync(join(folder, path), { throwIfNoEntry: false })?.isFile()) return []
  try {
    const existing = readFileInside(folder, path)
    return existing.startsWith(`# ${MARK}`) ? [] : [[path, mergeEnvironment(existing, content)]]
  } catch (error) {
    if (error instanceof UnreadableFileError) return []
    throw error
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
        t`${path} would be written outside ${folder}, because a directory in its path is a link. Nothing was written: remove the link, or choose another directory (--out).`,
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
  const exist = paths.length === 1 ? t`${paths[0]} already exists.` : t`${paths.join(', ')} already exist.`
  return new CannotRunError(
    t`${exist} Nothing was written: choose another directory (--out), print the files (--print), or replace them (--force).`,
  )
}
