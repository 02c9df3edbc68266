import { parseMemberName } from './member-name.ts'
import { parsePooledName } from './pooled-name.ts'

/** The app and instance that a connection of a fleet belongs to. */
export interface FleetName {
  readonly app: string
  /** `app#id`; undefined behind PgBouncer, where the name of a server connection does not identify the client that uses it. */
  readonly instance: string | undefined
}

/**
 * Reads an `application_name` that a fleet's instance gives its connections; undefined for any other name.
 *
 * @example
 * readFleetName('orders#3f9a1b:t=8,d=12,n=1l') // { app: 'orders', instance: 'orders#3f9a1b' }
 * readFleetName('orders#iNsTaNCeOFAfLeEtBeHInDApgboUNcEr') // { app: 'orders', instance: undefined }
 * readFleetName('psql') // undefined
 */
export function readFleetName(applicationName: string): FleetName | undefined {
  const instance = parseMemberName(applicationName)?.member
  const name = instance ?? parsePooledName(applicationName)
  return name === undefined ? undefined : { app: name.slice(0, name.lastIndexOf('#')), instance }
}
