import { type ConnectionString, print } from './connection-string.ts'
import { normalizeTarget } from './normalize-target.ts'

/**
 * Where a connection string leads: hosts, ports, database and role, as a URL without a password and without parameters, and
 * with `***` for a part that may be a piece of a password. It is what snapshots, metrics and pages show of it.
 *
 * @example
 * describeAddress(parseConnectionString('postgresql://app:s3cret@db/orders?sslmode=require')) // 'postgresql://app@db/orders'
 */
export function describeAddress(connection: ConnectionString): string {
  return print({ ...normalizeTarget(connection).shown(), password: undefined, parameters: [] })
}
