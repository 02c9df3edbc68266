import { CannotRunError } from '../outcome.ts'
import { t } from '../output/translate.ts'
import { connectionSettings } from './connection-settings.ts'
import { memorySettings } from './memory-settings.ts'
import { documentation, type RecommendedSetting } from './recommended-setting.ts'

/** The current limits of a server. */
export interface ConnectionLimits {
  /** `version()`, which contains the platform. */
  readonly build: string
  readonly maxConnections: number
  /** Reserved slots. */
  readonly reserved: number
}

/** Settings from the options. */
export interface RequestedSettings {
  readonly maxConnections?: number
  /** Megabytes. */
  readonly memory?: number
  readonly statementTimeout?: string
}

/**
 * The recommended settings for a running server, with the values from the options.
 *
 * @throws {CannotRunError} for a max_connections with which the server would not start.
 */
export function requestedSettings(
  server: ConnectionLimits,
  requested: RequestedSettings,
): readonly RecommendedSetting[] {
  const { maxConnections, memory, statementTimeout } = requested
  if (maxConnections !== undefined && maxConnections <= server.reserved) {
    throw new CannotRunError(
      t`PostgreSQL would not start with --max-connections ${maxConnections}, because ${server.reserved} slots are reserved. Choose a larger number.`,
    )
  }
  const settings = connectionSettings(statementTimeout).filter(({ name }) => isKnown(name, server))
  const name = 'max_connections'
  const source = documentation('runtime-config-connection', name)
  return [
    ...(maxConnections === undefined
      ? []
      : [
          {
            name,
            value: String(maxConnections),
            reason: t`from --max-connections`,
            source,
            priority: 'requested',
          } as const,
        ]),
    ...settings,
    ...(memory === undefined ? [] : memorySettings(memory, maxConnections ?? server.maxConnections)),
  ]
}

/**
 * PostgreSQL on Windows does not start with these settings.
 *
 * @see https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-CLIENT-CONNECTION-CHECK-INTERVAL
 */
const NOT_ON_WINDOWS: readonly string[] = ['client_connection_check_interval', 'tcp_keepalives_count']

function isKnown(name: string, { build }: ConnectionLimits): boolean {
  return !(/windows|mingw|visual c\+\+|msvc/i.test(build) && NOT_ON_WINDOWS.includes(name))
}
