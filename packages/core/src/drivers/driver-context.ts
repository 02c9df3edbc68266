import type { TopologyTraits } from '../topology/index.ts'
import type { ReadCertificate } from './neutral/tls-options.ts'

/** The context for rewriting a connection string for a driver. */
export interface DriverContext {
  /** The detected topology; without it, startup parameters and flags are kept unchanged. */
  readonly topology?: TopologyTraits | undefined
  /** Reads the files of `sslrootcert`, `sslcert` and `sslkey`; without it, these parameters produce a warning. */
  readonly readCertificate?: ReadCertificate | undefined
}
