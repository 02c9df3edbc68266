import { type GuardSpec, InvalidOptionError } from '@poolguard/core/adapter'
import { isSince348, type ParsedOptions } from '../internals.ts'

/**
 * Applies `sslnegotiation`, which postgres.js before 3.4.8 drops. The pool negotiates TLS itself, so its connections support it with every
 * version.
 *
 * @returns a warning about the connections that postgres.js opens itself.
 * @throws {InvalidOptionError} for `direct` without TLS, which postgres.js ignores.
 */
export function negotiateDirectly(shared: ParsedOptions, configured: unknown): NonNullable<GuardSpec['warnings']> {
  const knowsIt = isSince348(shared)
  if (!knowsIt && configured === 'direct') shared.sslnegotiation = configured
  if (shared.sslnegotiation !== 'direct') return []
  if (!shared.ssl) {
    throw new InvalidOptionError('sslnegotiation', 'direct', "'direct' only with TLS: set ssl, or sslmode in the URL")
  }
  if (knowsIt) return []
  return [
    {
      code: 'not-in-this-driver',
      parameter: 'sslnegotiation',
      why: 'postgres.js before 3.4.8 has no direct negotiation, so sql.listen and sql.subscribe ask the server for TLS first',
      instead: 'update postgres.js; the connections of the pool do negotiate directly',
    },
  ]
}
