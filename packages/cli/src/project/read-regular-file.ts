import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'
import { t } from '../output/translate.ts'

/** Hand-written configuration is smaller. */
const MAX_BYTES = 1_048_576

/** For all files: a buffer of this size for each would cost more than reading them. */
const buffer = Buffer.alloc(MAX_BYTES + 1)

/** An existing file that cannot be read. The message says why, without quoting the file. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError'
}

/**
 * Reads a text file of an untrusted directory: a regular file inside that directory, at most 1 MB. Rejects a pipe or device
 * without waiting for it, and a link or path that leads out of the directory.
 *
 * @param path relative to the directory.
 * @throws {UnreadableFileError} with the reason.
 */
export function readFileInside(folder: string, path: string): string {
  const file = reach(() => realpathSync(join(folder, path)))
  const place = relative(
    reach(() => realpathSync(folder)),
    file,
  )
  if (place.split(/[\\/]/)[0] === '..' || isAbsolute(place)) throw new UnreadableFileError(t`outside this directory`)
  return readRegularFile(file)
}

/**
 * Reads a text file that the user named, in any place: a regular file of at most 1 MB.
 *
 * @throws {UnreadableFileError} with the reason.
 */
export function readRegularFile(file: string): string {
  // A blocking open of a pipe would wait for a writer.
  const descriptor = reach(() => openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
  try {
    const status = fstatSync(descriptor)
    if (!status.isFile()) throw new UnreadableFileError(status.isDirectory() ? t`a directory` : t`not a regular file`)
    const read = readSync(descriptor, buffer, 0, buffer.length, 0)
    if (read > MAX_BYTES) throw new UnreadableFileError(t`larger than 1 MB`)
    return buffer.toString('utf8', 0, read).replace(/^\ufeff/, '')
  } finally {
    closeSync(descriptor)
  }
}

function reach<T>(access: () => T): T {
  try {
    return access()
  } catch (error) {
    throw new UnreadableFileError((error as NodeJS.ErrnoException).code ?? t`cannot be read`)
  }
}
