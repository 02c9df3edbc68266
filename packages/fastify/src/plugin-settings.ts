import { InvalidOptionError } from '@poolguard/core'
import { requireInteger } from '@poolguard/core/adapter'
import {
  type EndpointSettings,
  type RequestSettings,
  readEndpointSettings,
  readRequestSettings,
  readSwitch,
} from '@poolguard/web/adapter'
import type { PoolguardFastifyOptions } from './plugin-options.ts'

/** The validated options of a registration, with defaults. */
export interface PluginSettings {
  readonly endpoints: EndpointSettings
  readonly requests: RequestSettings
  readonly closeOnShutdown: boolean
  readonly closeDelayMillis: number
}

/**
 * Validates the options of a registration. `takePools` and `HealthMonitor` validate pools, thresholds and windows.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function readSettings(options: PoolguardFastifyOptions): PluginSettings {
  const isUnnamed = requireName(options.name) === undefined
  const { closeDelayMillis = 0 } = options
  requireInteger('closeDelayMillis', closeDelayMillis, 0)
  return {
    endpoints: readEndpointSettings(options, isUnnamed),
    requests: readRequestSettings(options, isUnnamed),
    closeOnShutdown: readSwitch('closeOnShutdown', options.closeOnShutdown, false),
    closeDelayMillis,
  }
}

function requireName(name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && name !== '')) return name
  throw new InvalidOptionError('name', name, 'a string that is not empty')
}
