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

/** pg's `ssl` option. Absent if the connection string has no TLS parameter, so that PGSSLMODE applies. */
export interface PgTls {
  readonly ssl?: boolean | TlsOptions
  readonly warnings: readonly RewriteWarning[]
}

/**
 * Interprets the TLS modes as pg 8 does: all modes except `disable` and `no-verify` verify the certificate and the host, unless
 * `uselibpqcompat=true` selects libpq's meaning
 * (https://github.com/brianc/node-postgres/tree/master/packages/pg-connection-string#tcp-connections). Prisma's
 * `sslaccept=accept_invalid_certs` turns verification off, as in Prisma.
 */
export function pgTls(tls: TlsIntent, readers: CertificateReaders): PgTls {
  const { mode } = tls
  const files = tls.rootCertificate ?? tls.certificate ?? tls.key
  if (mode === undefined && files === undefined && tls.accept === undefined && tls.negotiation !== 'direct') {
    return { warnings: [] }
  }
  if (mode === 'disable') return { ssl: false, warnings: [] }
  const certificates = certificateOptions(tls, readers)
  const options = mergeTls(verification(tls), certificates.options)
  return {
    ssl: Object.keys(options).length === 0 ? true : options,
    warnings: [...stricterWarnings(tls), ...certificates.warnings],
  }
}

function verification({ mode, accept, asLibpq, rootCertificate }: TlsIntent): TlsOptions {
  if (mode === 'no-verify' || accept === 'accept_invalid_certs') return UNVERIFIED
  if (accept === 'strict' || !asLibpq || mode === 'verify-full') return {}
  if (mode === 'verify-ca') return rootCertificate === 'system' ? {} : ANY_HOST
  return mode === 'require' && rootCertificate !== undefined ? ANY_HOST : UNVERIFIED
}

function stricterWarnings({ mode, modeParameter, accept, asLibpq }: TlsIntent): RewriteWarning[] {
  if (asLibpq || accept !== undefined || modeParameter === 'ssl' || mode === undefined) return []
  if (mode === 'no-verify' || mode === 'verify-full') return []
  return [
    {
      code: 'stricter-tls',
      parameter: 'sslmode',
      why: `pg 8 treats ${mode} as verify-full and does not fall back to plain text; libpq does not verify as much`,
      instead: canFallBack(mode)
        ? 'write sslmode=disable for a server without TLS, sslmode=no-verify for TLS without verifying the certificate, or sslmode=verify-full'
        : `write sslmode=verify-full for full verification, uselibpqcompat=true&sslmode=${mode} for libpq's meaning, or sslmode=no-verify`,
    },
  ]
}

/** The modes in which libpq connects without TLS if the server does not support it. */
function canFallBack(mode: TlsIntent['mode']): boolean {
  return mode === 'prefer' || mode === 'allow'
}
