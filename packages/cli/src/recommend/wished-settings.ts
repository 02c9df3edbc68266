import { CannotRunError } from '../outcome.ts'
import { connectionSettings } from './connection-settings.ts'
import { memorySettings } from './memory-settings.ts'
import { documentation, type RecommendedSetting } from './recommended-setting.ts'

/** As a server has them now. */
export interface ConnectionLimits {
  /** What `version()` says, with the platform that the server was made for. */
  readonly build: string
  readonly maxConnections: number
  /** Slots that not everybody may use. */
  readonly reserved: number
}

/** What was asked for. */
export interface Wishes {
  readonly maxConnections?: number
  /** Megabytes. */
  readonly memory?: number
  readonly statementTimeout?: string
}

/**
 * What a running server should have: what is recommended for each, and what was asked for.
 *
 * @throws {CannotRunError} for a max_connections with which it would not start.
 */
export function wishedSettings(server: ConnectionLimits, wishes: Wishes): readonly RecommendedSetting[] {
  const { maxConnections, memory, statementTimeout } = wishes
  if (maxConnections !== undefined && maxConnections <= server.reserved) {
    throw new CannotRunError(
      `With --max-connections ${maxConnections} PostgreSQL would not start again: ${server.reserved} slots are reserved.`,
    )
  }
  const settings = connectionSettings(statementTimeout).filter(({ name }) => isKnown(name, server))
  const name = 'max_connections'
  const source = documentation('runtime-config-connection', name)
  return [
    ...(maxConnections === undefined
      ? []
      : [{ name, value: String(maxConnections), reason: 'asked for', source, wish: 'asked' } as const]),
    ...settings,
    ...(memory === undefined ? [] : memorySettings(memory, maxConnections ?? server.maxConnections)),
  ]
}

/**
 * A server on Windows refuses what its system cannot do, and would not start with it.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL
 */
const NOT_ON_WINDOWS: readonly string[] = ['client_connection_check_interval', 'tcp_keepalives_count']

function isKnown(name: string, { build }: ConnectionLimits): boolean {
  return !(/windows|mingw|visual c\+\+|msvc/i.test(build) && NOT_ON_WINDOWS.includes(name))
}
