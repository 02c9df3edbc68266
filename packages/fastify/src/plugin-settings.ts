import { InvalidOptionError } from '@poolguard/core'
import { asyncContextIsCheap, readShedLoad, requireInteger, type ShedLoadOptions } from '@poolguard/core/adapter'
import { type EndpointSettings, readEndpointSettings, readSwitch } from '@poolguard/web/adapter'
import type { PoolguardFastifyOptions } from './plugin-options.ts'

/** The validated options of a registration, with defaults. */
export interface PluginSettings {
  readonly endpoints: EndpointSettings
  readonly deadlines: boolean
  readonly labels: boolean
  readonly mapErrors: boolean
  readonly closeOnShutdown: boolean
  readonly closeDelayMillis: number
  readonly shedLoad: ShedLoadOptions | undefined
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
    deadlines: readSwitch('deadlines', options.deadlines, isUnnamed && asyncContextIsCheap),
    labels: readSwitch('labels', options.labels, isUnnamed && asyncContextIsCheap),
    mapErrors: readSwitch('mapErrors', options.mapErrors, isUnnamed),
    closeOnShutdown: readSwitch('closeOnShutdown', options.closeOnShutdown, false),
    closeDelayMillis,
    shedLoad: readShedLoad(options.shedLoad),
  }
}

function requireName(name: unknown): string | undefined {
  if (name === undefined || (typeof name === 'string' && name !== '')) return name
  throw new InvalidOptionError('name', name, 'a string that is not empty')
}
