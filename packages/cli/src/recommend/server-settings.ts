import { t } from '../output/translate.ts'
import { connectionSettings } from './connection-settings.ts'
import { memorySettings } from './memory-settings.ts'
import type { PostgresVersion } from './postgres-version.ts'
import { documentation, type RecommendedSetting } from './recommended-setting.ts'

export interface ServerSettingsInput {
  readonly version: PostgresVersion
  readonly maxConnections: number
  /** Slots that the app's role cannot use. */
  readonly reserved: number
  /** Slots that the plan leaves free. */
  readonly headroom: number
  /** Memory of PostgreSQL's dedicated server. Without it, there are no memory settings. */
  readonly memoryMegabytes?: number | undefined
  /** For example `30s`. */
  readonly statementTimeout?: string | undefined
}

/** reserved_connections exists since PostgreSQL 16. */
const RESERVED_SINCE = 16
const SUPERUSERS = 3

/** All settings of a server for a plan. */
export function serverSettings(input: ServerSettingsInput): readonly RecommendedSetting[] {
  const { maxConnections, memoryMegabytes, statementTimeout } = input
  return [
    requested('max_connections', maxConnections, t`from the plan; a change needs a restart`),
    ...reservedSlots(input),
    ...connectionSettings(statementTimeout),
    ...(memoryMegabytes === undefined ? [] : memorySettings(memoryMegabytes, maxConnections)),
  ]
}

/** Reserves part of the headroom on the server, so that no app can use it; the plan still fits. */
function reservedSlots({ version, reserved, headroom }: ServerSettingsInput): RecommendedSetting[] {
  const knowsRoles = version >= RESERVED_SINCE
  const superusers = knowsRoles ? Math.min(SUPERUSERS, reserved) : reserved
  const forSuperusers = requested(
    'superuser_reserved_connections',
    superusers,
    t`lets an administrator log in when the server is full`,
  )
  const roles = reserved - superusers + Math.min(SUPERUSERS, headroom)
  if (!knowsRoles || roles === 0) return [forSuperusers]
  return [
    forSuperusers,
    requested(
      'reserved_connections',
      roles,
      t`part of the headroom, for migrations and monitoring: GRANT pg_use_reserved_connections TO their role`,
    ),
  ]
}

function requested(name: string, value: number, reason: string): RecommendedSetting {
  return {
    name,
    value: String(value),
    reason,
    source: documentation('runtime-config-connection', name),
    priority: 'requested',
  }
}
