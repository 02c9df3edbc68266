import { type ConnectionString, ConnectionStringError } from '../../connection-string/index.ts'
import type { ConnectionSettings, NumericSetting } from './connection-settings.ts'

/** A setting in a connection string, and the parameter that sets it. */
export interface UrlSetting {
  readonly setting: NumericSetting
  readonly parameter: string
  readonly value: number
}

type Unit = 'count' | 'seconds' | 'milliseconds'

/** In libpq, pg and Prisma a duration of 0 means no limit. */
const URL_PARAMETERS: Readonly<Record<string, readonly [setting: NumericSetting, unit: Unit]>> = {
  // Prisma 5 and 6: https://www.prisma.io/docs/orm/v6/overview/databases/postgresql#arguments
  connection_limit: ['max', 'count'],
  pool_timeout: ['acquireTimeoutMillis', 'seconds'],
  connect_timeout: ['connectTimeoutMillis', 'seconds'],
  socket_timeout: ['queryTimeoutMillis', 'seconds'],
  max_idle_connection_lifetime: ['idleTimeoutMillis', 'seconds'],
  max_connection_lifetime: ['maxLifetimeMillis', 'seconds'],
  // pg: https://node-postgres.com/apis/pool
  max: ['max', 'count'],
  min: ['min', 'count'],
  connectionTimeoutMillis: ['acquireTimeoutMillis', 'milliseconds'],
  idleTimeoutMillis: ['idleTimeoutMillis', 'milliseconds'],
  maxLifetimeSeconds: ['maxLifetimeMillis', 'seconds'],
  query_timeout: ['queryTimeoutMillis', 'milliseconds'],
  // postgres.js: https://github.com/porsager/postgres#connection-details
  idle_timeout: ['idleTimeoutMillis', 'seconds'],
  max_lifetime: ['maxLifetimeMillis', 'seconds'],
}

/**
 * Reads the pool settings in a connection string, with the parameter names of any driver. If two parameters set the same setting,
 * the later one wins.
 *
 * @throws {ConnectionStringError} if a value is invalid; names the parameter.
 */
export function readUrlSettings(connection: ConnectionString): readonly UrlSetting[] {
  return connection.parameters.flatMap(([parameter, text]) => {
    const known = Object.hasOwn(URL_PARAMETERS, parameter) ? URL_PARAMETERS[parameter] : undefined
    return known ? [{ setting: known[0], parameter, value: readNumber(parameter, text, known[1]) }] : []
  })
}

/**
 * Reads the pool settings in a connection string as one object, with durations in milliseconds. Knows the parameters of all drivers:
 * `connection_limit`, `pool_timeout`, `max`, `idle_timeout` and others.
 *
 * @throws {ConnectionStringError} if a value is invalid; names the parameter.
 * @example
 * readPoolParameters(parseConnectionString('postgresql://db/x?connection_limit=5&pool_timeout=20'))
 * // { max: 5, acquireTimeoutMillis: 20_000 }
 */
export function readPoolParameters(connection: ConnectionString): ConnectionSettings {
  return Object.fromEntries(readUrlSettings(connection).map(({ setting, value }) => [setting, value]))
}

/** The error does not show the value: it may be a piece of a password that the parser misread. */
function readNumber(parameter: string, text: string, unit: Unit): number {
  if (unit === 'count') {
    const count = /^\d{1,9}$/.test(text) ? Number(text) : -1
    if (count >= (parameter === 'min' ? 0 : 1)) return count
    throw new ConnectionStringError(
      'parameters',
      `${parameter} takes a whole number of connections, at least ${parameter === 'min' ? 0 : 1}`,
    )
  }
  if (!/^-?\d{1,12}(\.\d{1,9})?$/.test(text)) {
    throw new ConnectionStringError('parameters', `${parameter} takes a number of ${unit}`)
  }
  const value = Number(text)
  return value <= 0 ? Infinity : value * (unit === 'seconds' ? 1000 : 1)
}
