import { type ConnectionString, print } from './connection-string.ts'
import { normalizeTarget } from './normalize-target.ts'

/**
 * The hosts, ports, database and role of a connection string, as a URL without password and parameters, and with `***` for a
 * part that may be a piece of a password. Snapshots, metrics and pages show this address.
 *
 * @example
 * describeAddress(parseConnectionString('postgresql://app:s3cret@db/orders?sslmode=require')) // 'postgresql://app@db/orders'
 */
export function describeAddress(connection: ConnectionString): string {
  return print({ ...normalizeTarget(connection).shown(), password: undefined, parameters: [] })
}
