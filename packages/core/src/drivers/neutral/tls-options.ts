import type { RewriteWarning } from '../rewriting.ts'
import type { TlsIntent } from './tls-intent.ts'

/** Options of Node's `tls.connect` that a connection string can set. */
export interface TlsOptions {
  readonly rejectUnauthorized?: boolean
  readonly checkServerIdentity?: () => undefined
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

/** Reads a certificate or key file as text. The caller provides it, because the rewriting itself does not read files. */
export type ReadCertificate = (path: string) => string

/** The content of the certificate files, and a warning for each file that was not read. */
export interface CertificateOptions {
  readonly options: TlsOptions
  readonly warnings: readonly RewriteWarning[]
}

/** The paths of the certificate files, by option of `tls.connect`. */
export type CertificatePaths = Partial<Record<'ca' | 'cert' | 'key', string>>

/** Returns options whose values are the present content of the files. The values are getters, so options must be copied with {@link mergeTls}. */
export type WatchCertificates = (paths: CertificatePaths, passphrase: string | undefined) => TlsOptions

/** How certificate files become options: read once, or followed while the pool lives. */
export interface CertificateReaders {
  readonly readCertificate?: ReadCertificate | undefined
  readonly watchCertificates?: WatchCertificates | undefined
}

const FILES = [
  ['rootCertificate', 'ca', 'sslrootcert'],
  ['certificate', 'cert', 'sslcert'],
  ['key', 'key', 'sslkey'],
] as const

/** Reads the certificates and keys of a {@link TlsIntent}, for drivers that need the content. `system` means Node's CA store. */
export function certificateOptions(
  tls: TlsIntent,
  { readCertificate, watchCertificates }: CertificateReaders,
): CertificateOptions {
  const warnings: RewriteWarning[] = []
  const paths: CertificatePaths = {}
  for (const [part, option, parameter] of FILES) {
    const path = tls[part]
    if (path === undefined || (part === 'rootCertificate' && path === 'system')) continue
    if (readCertificate || watchCertificates) paths[option] = path
    else {
      const why = 'the driver needs the content of the file, which was not read'
      const instead = `pass readCertificate, or ssl: { ${option}: readFileSync(path, 'utf8') }`
      warnings.push({ code: 'file-not-read', parameter, why, instead })
    }
  }
  if (tls.identity !== undefined) {
    const why = "it is a PKCS#12 file, which only Prisma's engine reads from a URL"
    warnings.push({
      code: 'ignored-by-driver',
      parameter: 'sslidentity',
      why,
      instead: 'pass ssl: { pfx, passphrase }',
    })
  }
  const passphrase = tls.key === undefined ? undefined : tls.passphrase
  const protectedKey = passphrase === undefined ? {} : { passphrase }
  const files =
    watchCertificates && Object.keys(paths).length > 0
      ? watchCertificates(paths, passphrase)
      : Object.fromEntries(Object.entries(paths).map(([option, path]) => [option, readCertificate?.(path)]))
  return { options: mergeTls(files, protectedKey), warnings }
}

/** Merges options without reading their getters. */
export function mergeTls(first: TlsOptions, second: TlsOptions): TlsOptions {
  return Object.defineProperties(
    {},
    {
      ...Object.getOwnPropertyDescriptors(first),
      ...Object.getOwnPropertyDescriptors(second),
    },
  )
}

/** Verifies the signature of the certificate, but not the host name: libpq's verify-ca. */
export const ANY_HOST: TlsOptions = { checkServerIdentity: () => undefined }

/** Turns verification off. */

export const UNVERIFIED: TlsOptions = { rejectUnauthorized: false }
