import type { TlsIntent } from '../neutral/tls-intent.ts'
import {
  ANY_HOST,
  certificateOptions,
  type ReadCertificate,
  type TlsOptions,
  UNVERIFIED,
} from '../neutral/tls-options.ts'
import type { RewriteWarning } from '../rewriting.ts'

/** pg's `ssl` option; absent where the connection string says nothing of TLS, so that PGSSLMODE still decides. */
export interface PgTls {
  readonly ssl?: boolean | TlsOptions
  readonly warnings: readonly RewriteWarning[]
}

/**
 * Does with the modes of TLS what pg 8 does: all but `disable` and `no-verify` verify certificate and host, unless
 * `uselibpqcompat=true` asks for libpq's meaning
 * (https://github.com/brianc/node-postgres/tree/master/packages/pg-connection-string#tcp-connections). Prisma's
 * `sslaccept=accept_invalid_certs` verifies nothing, as there.
 */
export function pgTls(tls: TlsIntent, read: ReadCertificate | undefined): PgTls {
  const { mode } = tls
  const files = tls.rootCertificate ?? tls.certificate ?? tls.key
  if (mode === undefined && files === undefined && tls.accept === undefined && tls.negotiation !== 'direct') {
    return { warnings: [] }
  }
  if (mode === 'disable') return { ssl: false, warnings: [] }
  const certificates = certificateOptions(tls, read)
  const options: TlsOptions = { ...verification(tls), ...certificates.options }
  return {
    ssl: Object.keys(options).length === 0 ? true : options,
    warnings: [...stricter(tls), ...certificates.warnings],
  }
}

function verification({ mode, accept, asLibpq, rootCertificate }: TlsIntent): TlsOptions {
  if (mode === 'no-verify' || accept === 'accept_invalid_certs') return UNVERIFIED
  if (accept === 'strict' || !asLibpq || mode === 'verify-full') return {}
  if (mode === 'verify-ca') return rootCertificate === 'system' ? {} : ANY_HOST
  return mode === 'require' && rootCertificate !== undefined ? ANY_HOST : UNVERIFIED
}

function stricter({ mode, modeParameter, accept, asLibpq }: TlsIntent): RewriteWarning[] {
  if (asLibpq || accept !== undefined || modeParameter === 'ssl' || mode === undefined) return []
  if (mode === 'no-verify' || mode === 'verify-full') return []
  return [
    {
      code: 'stricter-tls',
      parameter: 'sslmode',
      why: `pg 8 takes ${mode} for verify-full, without falling back to plain text; libpq would not`,
      instead: mayFallBack(mode)
        ? 'pg has no fallback: write sslmode=disable for a server without TLS, sslmode=no-verify for one with TLS whose certificate is not to be verified, or sslmode=verify-full'
        : `write sslmode=verify-full if that is meant, or uselibpqcompat=true&sslmode=${mode} for libpq's meaning, or sslmode=no-verify`,
    },
  ]
}

/** libpq's modes in which it connects without TLS where there is none. */
function mayFallBack(mode: TlsIntent['mode']): boolean {
  return mode === 'prefer' || mode === 'allow'
}
