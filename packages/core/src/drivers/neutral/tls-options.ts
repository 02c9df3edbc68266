import type { RewriteWarning } from '../rewriting.ts'
import type { TlsIntent } from './tls-intent.ts'

/** Options of Node's `tls.connect` that a connection string can ask for. */
export interface TlsOptions {
  readonly rejectUnauthorized?: boolean
  readonly checkServerIdentity?: () => undefined
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly passphrase?: string
}

/** Reads a certificate or key file, as text. Given by the caller, since nothing here touches the disk. */
export type ReadCertificate = (path: string) => string

/** The certificates, read; and a warning for each that could not be. */
export interface CertificateOptions {
  readonly options: TlsOptions
  readonly warnings: readonly RewriteWarning[]
}

const FILES = [
  ['rootCertificate', 'ca', 'sslrootcert'],
  ['certificate', 'cert', 'sslcert'],
  ['key', 'key', 'sslkey'],
] as const

/** Certificates and keys of a {@link TlsIntent}, for the drivers that take their contents. `system` means Node's own store. */
export function certificateOptions(tls: TlsIntent, read: ReadCertificate | undefined): CertificateOptions {
  const warnings: RewriteWarning[] = []
  const options: Record<string, string> = {}
  for (const [part, option, parameter] of FILES) {
    const path = tls[part]
    if (path === undefined || (part === 'rootCertificate' && path === 'system')) continue
    if (read) options[option] = read(path)
    else {
      const why = 'the driver takes the contents of the file, and it has not been read here'
      const instead = `give readCertificate, or ssl: { ${option}: readFileSync(path, 'utf8') }`
      warnings.push({ code: 'file-not-read', parameter, why, instead })
    }
  }
  if (tls.passphrase !== undefined && tls.key !== undefined) options.passphrase = tls.passphrase
  if (tls.identity !== undefined) {
    const why = 'it is a PKCS#12 file, which only the engine of Prisma reads from a URL'
    warnings.push({
      code: 'ignored-by-driver',
      parameter: 'sslidentity',
      why,
      instead: 'give ssl: { pfx, passphrase }',
    })
  }
  return { options, warnings }
}

/** The certificate's signature is verified, the host's name in it is not: libpq's verify-ca. */
export const ANY_HOST: TlsOptions = { checkServerIdentity: () => undefined }

/** Nothing is verified. */
export const UNVERIFIED: TlsOptions = { rejectUnauthorized: false }
