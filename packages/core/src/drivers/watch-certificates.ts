import type { CertificatePaths, TlsOptions, WatchCertificates } from './neutral/tls-options.ts'
import { readCertificate } from './read-certificate.ts'

type Contents = { readonly [Option in keyof CertificatePaths]: string }

/**
 * Reads the certificate files, and reads them again for the first connection after one of them has changed: authorities and client
 * certificates are replaced while an app runs.
 *
 * @throws {InvalidOptionError} if a file cannot be read.
 */
export const watchCertificates: WatchCertificates = (paths, passphrase) => {
  const files = new CertificateFiles(paths, passphrase)
  const options = Object.keys(paths) as (keyof CertificatePaths)[]
  // Configurable, because pg makes the key non-enumerable.
  return Object.defineProperties(
    {},
    Object.fromEntries(
      options.map((option) => [option, { get: () => files.current[option], enumerable: true, configurable: true }]),
    ),
  ) as TlsOptions
}

class CertificateFiles {
  readonly #paths: CertificatePaths
  readonly #passphrase: string | undefined
  #contents: Contents
  #stamps: string
  #isFresh = false
  #warned = false

  constructor(paths: CertificatePaths, passphrase: string | undefined) {
    this.#paths = paths
    this.#passphrase = passphrase
    this.#stamps = stampsOf(paths)
    this.#contents = readAll(paths)
  }

  /** A driver reads the options of one connection in one turn, so they belong together. */
  get current(): Contents {
    if (!this.#isFresh) {
      this.#isFresh = true
      queueMicrotask(() => {
        this.#isFresh = false
      })
      this.#refresh()
    }
    return this.#contents
  }

  /** While files are being replaced, a key may not fit its certificate. The former files stay in use until the new ones are valid. */
  #refresh(): void {
    try {
      const stamps = stampsOf(this.#paths)
      if (stamps === this.#stamps) return
      const contents = readAll(this.#paths)
      process.getBuiltinModule('node:tls').createSecureContext({ ...contents, passphrase: this.#passphrase })
      this.#contents = contents
      this.#stamps = stamps
      this.#warned = false
    } catch (error) {
      if (this.#warned) return
      this.#warned = true
      const { code = 'unknown error' } = error as NodeJS.ErrnoException
      process.emitWarning(
        `A certificate file of a connection string (sslrootcert, sslcert, sslkey) has changed, but the new files are not valid (${code}). ` +
          'New connections use the former files and read the new ones again',
        'PoolguardWarning',
      )
    }
  }
}

function readAll(paths: CertificatePaths): Contents {
  return Object.fromEntries(Object.entries(paths).map(([option, path]) => [option, readCertificate(path)]))
}

function stampsOf(paths: CertificatePaths): string {
  return Object.values(paths).map(stampOf).join(' ')
}

/** Follows symbolic links, which Kubernetes switches when a secret changes. Node's errors are dropped, because they show the path. */
function stampOf(path: string): string {
  try {
    const { ino, size, mtimeNs } = process.getBuiltinModule('node:fs').statSync(path, { bigint: true })
    return `${ino}:${size}:${mtimeNs}`
  } catch {
    return 'none'
  }
}
