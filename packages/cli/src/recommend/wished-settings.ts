import { connectionSettings } from './connection-settings.ts'
import { memorySettings } from './memory-settings.ts'
import { documentation, type RecommendedSetting } from './recommended-setting.ts'

export interface WishedSettingsInput {
  readonly maxConnectionsNow: number
  readonly maxConnections?: number
  /** Megabytes. */
  readonly memory?: number
  readonly statementTimeout?: string
}

/** What a running server should have: what is recommended for each, and what was asked for. */
export function wishedSettings(input: WishedSettingsInput): readonly RecommendedSetting[] {
  const { maxConnectionsNow, maxConnections, memory, statementTimeout } = input
  const name = 'max_connections'
  const source = documentation('runtime-config-connection', name)
  return [
    ...(maxConnections === undefined
      ? []
      : [{ name, value: String(maxConnections), reason: 'asked for', source, wish: 'asked' } as const]),
    ...connectionSettings(statementTimeout),
    ...(memory === undefined ? [] : memorySettings(memory, maxConnections ?? maxConnectionsNow)),
  ]
}
