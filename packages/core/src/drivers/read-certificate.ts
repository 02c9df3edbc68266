import { readFileSync } from 'node:fs'
import { InvalidOptionError } from '../invalid-option-error.ts'

/**
 * Reads a file that a URL's `sslrootcert`, `sslcert` or `sslkey` names.
 *
 * @throws {InvalidOptionError} with the code of the error of Node, which itself is not the cause: it shows the path, and where a key
 * stands in place of a path that would be the key.
 */
export function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new InvalidOptionError('url', path, `the paths of certificates that can be read (${code})`)
  }
}
