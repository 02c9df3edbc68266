import { connectionSettings } from './connection-settings.ts'
import { memorySettings } from './memory-settings.ts'
import type { PostgresVersion } from './postgres-version.ts'
import { documentation, type RecommendedSetting } from './recommended-setting.ts'

export interface ServerSettingsInput {
  readonly version: PostgresVersion
  readonly maxConnections: number
  /** Slots that the plan keeps from the app's role. */
  readonly reserved: number
  /** Slots that the plan leaves free. */
  readonly headroom: number
  /** Of a server that PostgreSQL has to itself. Nothing is said of memory without. */
  readonly memoryMegabytes?: number | undefined
  /** Such as `30s`. */
  readonly statementTimeout?: string | undefined
}

/** PostgreSQL knows roles with reserved slots of their own from 16 on. */
const RESERVED_SINCE = 16
const SUPERUSERS = 3

/** The settings of a whole server that goes with a plan. */
export function serverSettings(input: ServerSettingsInput): readonly RecommendedSetting[] {
  const { maxConnections, memoryMegabytes, statementTimeout } = input
  return [
    asked('max_connections', maxConnections, "the plan's; a change needs a restart"),
    ...reservedSlots(input),
    ...connectionSettings(statementTimeout),
    ...(memoryMegabytes === undefined ? [] : memorySettings(memoryMegabytes, maxConnections)),
  ]
}

/** A part of the headroom is kept by the server itself, so that no app can take it: the plan still fits. */
function reservedSlots({ version, reserved, headroom }: ServerSettingsInput): RecommendedSetting[] {
  const knowsRoles = version >= RESERVED_SINCE
  const superusers = knowsRoles ? Math.min(SUPERUSERS, reserved) : reserved
  const forSuperusers = asked('superuser_reserved_connections', superusers, 'who comes to help is let in')
  const roles = reserved - superusers + Math.min(SUPERUSERS, headroom)
  if (!knowsRoles || roles === 0) return [forSuperusers]
  return [
    forSuperusers,
    asked(
      'reserved_connections',
      roles,
      'a part of the headroom, for migrations and monitoring: GRANT pg_use_reserved_connections TO their role',
    ),
  ]
}

function asked(name: string, value: number, reason: string): RecommendedSetting {
  return { name, value: String(value), reason, source: documentation('runtime-config-connection', name), wish: 'asked' }
}
