import { parseMemberName } from './member-name.ts'
import { parsePooledName } from './pooled-name.ts'

/** Whose connection it is, where a fleet opened it. */
export interface FleetName {
  readonly app: string
  /** `app#id`; undefined through PgBouncer, on whose server connections the name does not tell who uses them. */
  readonly member: string | undefined
}

/**
 * Reads the `application_name` that instances of a fleet give their connections; undefined for any other.
 *
 * @example
 * readFleetName('orders#3f9a1b:t=8,d=12,n=1l') // { app: 'orders', member: 'orders#3f9a1b' }
 * readFleetName('orders#iNsTaNCeOFAfLeEtBeHInDApgboUNcEr') // { app: 'orders', member: undefined }
 * readFleetName('psql') // undefined
 */
export function readFleetName(applicationName: string): FleetName | undefined {
  const member = parseMemberName(applicationName)?.member
  const name = member ?? parsePooledName(applicationName)
  return name === undefined ? undefined : { app: name.slice(0, name.lastIndexOf('#')), member }
}
