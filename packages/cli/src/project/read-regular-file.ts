import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs'
import { isAbsolute, join, relative } from 'node:path'

/** Larger files are not configuration that a person wrote. */
const MAX_BYTES = 1_048_576

/** A file that is there and is not read. The message says why, without anything of its content. */
export class UnreadableFileError extends Error {
  override readonly name = 'UnreadableFileError'
}

/**
 * Reads a text file of an untrusted folder: a regular file inside that folder, of at most 1 MB. A pipe or a
 * device is refused without waiting for it, and so is a link or a path that leads out of the folder.
 *
 * @param path relative to the folder.
 * @throws {UnreadableFileError} with the reason.
 */
export function readFileInside(folder: string, path: string): string {
  const file = reach(() => realpathSync(join(folder, path)))
  const place = relative(
    reach(() => realpathSync(folder)),
    file,
  )
  if (place.split(/[\\/]/)[0] === '..' || isAbsolute(place)) throw new UnreadableFileError('outside of this folder')
  return readRegularFile(file)
}

/**
 * Reads a text file that the user named, wherever it is: a regular file of at most 1 MB.
 *
 * @throws {UnreadableFileError} with the reason.
 */
export function readRegularFile(file: string): string {
  // Opening a pipe would otherwise wait for a writer.
  const descriptor = reach(() => openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)))
  try {
    const status = fstatSync(descriptor)
    if (!status.isFile()) throw new UnreadableFileError(status.isDirectory() ? 'a folder' : 'not a regular file')
    const bytes = Buffer.alloc(MAX_BYTES + 1)
    const read = readSync(descriptor, bytes, 0, bytes.length, 0)
    if (read > MAX_BYTES) throw new UnreadableFileError('larger than 1 MB')
    return bytes.toString('utf8', 0, read).replace(/^\ufeff/, '')
  } finally {
    closeSync(descriptor)
  }
}

function reach<T>(access: () => T): T {
  try {
    return access()
  } catch (error) {
    throw new UnreadableFileError((error as NodeJS.ErrnoException).code ?? 'cannot be read')
  }
}
