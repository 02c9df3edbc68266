import type { TlsIntent } from '../neutral/tls-intent.ts'
import {
  ANY_HOST,
  type CertificateReaders,
  certificateOptions,
  mergeTls,
  type TlsOptions,
  UNVERIFIED,
} from '../neutral/tls-options.ts'
import type { RewriteWarning } from '../rewriting.ts'

/** The `ssl` option of postgres.js. Absent if the connection string has no TLS parameter. */
export interface PostgresJsTls {
  readonly ssl?: boolean | 'require' | 'allow' | 'prefer' | 'verify-full' | TlsOptions
  readonly warnings: readonly RewriteWarning[]
}

/**
 * postgres.js verifies nothing with `require`, `allow` and `prefer`, and everything with `verify-full` and with any unknown mode,
 * such as `no-verify` and `verify-ca` (porsager/postgres, src/connection.js, secure). So the unknown modes become options of
 * tls.connect.
 */
export function postgresJsTls(tls: TlsIntent, readers: CertificateReaders): PostgresJsTls {
  if (tls.mode === 'disable') return { ssl: false, warnings: [] }
  const { options, warnings } = certificateOptions(tls, readers)
  const hasFiles = Object.keys(options).length > 0
  const mode =
    tls.mode ??
    (hasFiles || warnings.length > 0 || tls.accept || tls.rootCertificate || tls.negotiation === 'direct'
      ? 'verify-full'
      : undefined)
  if (mode === undefined) return { warnings }
  const verification = verify(tls, mode)
  if (hasFiles) return { ssl: mergeTls(verification, options), warnings }
  if (Object.keys(verification).length === 0)
    return { ssl: tls.modeParameter === 'ssl' ? true : 'verify-full', warnings }
  const unverified = mode === 'require' || mode === 'allow' || mode === 'prefer'
  return {
    ssl: unverified && tls.accept === undefined && tls.rootCertificate === undefined ? mode : verification,
    warnings,
  }
}

function verify({ accept, modeParameter, rootCertificate }: TlsIntent, mode: string): TlsOptions {
  if (mode === 'no-verify' || accept === 'accept_invalid_certs') return UNVERIFIED
  if (accept === 'strict' || mode === 'verify-full' || rootCertificate === 'system') return {}
  if (mode === 'verify-ca') return ANY_HOST
  if (mode === 'require' && rootCertificate !== undefined) return ANY_HOST
  return modeParameter === 'ssl' && mode === 'require' ? {} : UNVERIFIED
}
