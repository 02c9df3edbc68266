import { InvalidOptionError } from '../invalid-option-error.ts'

/**
 * Reads the file of `sslrootcert`, `sslcert` or `sslkey` in a URL.
 *
 * @throws {InvalidOptionError} with the code of Node's error. Node's error is not its cause, because it shows the path, which is a
 * secret if a user writes the key itself instead of a path.
 */
export function readCertificate(path: string): string {
  try {
    // Not imported: most pools read no certificate, and an import of node:fs loads its streams and promises, 1.5 ms of the start.
    return process.getBuiltinModule('node:fs').readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new InvalidOptionError('url', path, `the paths of certificates that can be read (${code})`)
  }
}
