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

const FILES = [
  ['rootCertificate', 'ca', 'sslrootcert'],
  ['certificate', 'cert', 'sslcert'],
  ['key', 'key', 'sslkey'],
] as const

/** Reads the certificates and keys of a {@link TlsIntent}, for drivers that need the content. `system` means Node's CA store. */
export function certificateOptions(tls: TlsIntent, read: ReadCertificate | undefined): CertificateOptions {
  const warnings: RewriteWarning[] = []
  const options: Record<string, string> = {}
  for (const [part, option, parameter] of FILES) {
    const path = tls[part]
    if (path === undefined || (part === 'rootCertificate' && path === 'system')) continue
    if (read) options[option] = read(path)
    else {
      const why = 'the driver needs the content of the file, which was not read'
      const instead = `pass readCertificate, or ssl: { ${option}: readFileSync(path, 'utf8') }`
      warnings.push({ code: 'file-not-read', parameter, why, instead })
    }
  }
  if (tls.passphrase !== undefined && tls.key !== undefined) options.passphrase = tls.passphrase
  if (tls.identity !== undefined) {
    const why = "it is a PKCS#12 file, which only Prisma's engine reads from a URL"
    warnings.push({
      code: 'ignored-by-driver',
      parameter: 'sslidentity',
      why,
      instead: 'pass ssl: { pfx, passphrase }',
    })
  }
  return { options, warnings }
}

/** Verifies the signature of the certificate, but not the host name: libpq's verify-ca. */
export const ANY_HOST: TlsOptions = { checkServerIdentity: () => undefined }

/** Turns verification off. */

export const UNVERIFIED: TlsOptions = { rejectUnauthorized: false }
