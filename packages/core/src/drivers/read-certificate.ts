import { readFileSync } from 'node:fs'
import { InvalidOptionError } from '../invalid-option-error.ts'

/**
 * Reads a file that a URL's `sslrootcert`, `sslcert` or `sslkey` names.
 *
 * @throws {InvalidOptionError} names the file that cannot be read.
 */
export function readCertificate(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw new InvalidOptionError('url', path, 'the paths of certificates that can be read', { cause })
  }
}
