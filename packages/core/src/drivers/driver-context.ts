import type { TopologyTraits } from '../topology/index.ts'
import type { CertificateReaders } from './neutral/tls-options.ts'

/**
 * The context for rewriting a connection string for a driver. Without a reader for certificates, `sslrootcert`, `sslcert` and `sslkey`
 * produce a warning.
 */
export interface DriverContext extends CertificateReaders {
  /** The detected topology; without it, startup parameters and flags are kept unchanged. */
  readonly topology?: TopologyTraits | undefined
  /** True if poolguard chooses the host of each connection, so that the driver needs no support for several hosts. */
  readonly choosesHost?: boolean | undefined
}
