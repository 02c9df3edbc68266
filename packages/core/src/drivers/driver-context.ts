import type { TopologyTraits } from '../topology/index.ts'
import type { ReadCertificate } from './neutral/tls-options.ts'

/** What rewriting for a driver depends on besides the connection string. */
export interface DriverContext {
  /** What was detected behind the address; without it, startup parameters are kept and flags stay as they are written. */
  readonly topology?: TopologyTraits | undefined
  /** Reads the files that `sslrootcert`, `sslcert` and `sslkey` name; without it they are warned about. */
  readonly readCertificate?: ReadCertificate | undefined
}
