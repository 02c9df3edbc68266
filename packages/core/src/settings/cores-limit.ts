import type { FleetShare } from '../fleet/index.ts'
import type { PoolSettings } from '../pool/index.ts'
import { MAX_DISCOVERED, type SettingsOptions } from './options.ts'

/** A maximum of connections, and its reason. */
interface Bound {
  readonly value: number
  readonly reason: string
}

/** The pool's own settings, as far as they matter here. */
interface CoresSettings {
  readonly options: Pick<SettingsOptions, 'fleet' | 'instances'>
  readonly values: Pick<PoolSettings, 'limit' | 'serverCores'>
  readonly reasons: Readonly<Record<'max' | 'serverCores', string>>
}

/**
 * Lowers `max` to this pool's part of 2 x cores + 1, with the setting `limit: 'cores'`: about as many connections as the server can keep
 * busy. It replaces the default `max`, which says nothing about the server.
 */
export function limitByCores<T extends Bound>(max: T, own: CoresSettings, share: FleetShare | undefined): T {
  const { limit, serverCores } = own.values
  const { fleet, instances } = own.options
  if (limit !== 'cores') return max
  const useful = 2 * serverCores + 1
  const pools = share?.instances ?? instances ?? 1
  const part = Math.max(1, Math.floor(useful / pools))
  const isDefault = own.reasons.max === 'default' && !fleet && instances === undefined
  if (!isDefault && max.value <= part) return max
  const value = isDefault ? Math.min(part, MAX_DISCOVERED) : part
  const cores =
    own.reasons.serverCores === 'default'
      ? `${serverCores} cores (assumed; set pool.serverCores)`
      : `${serverCores} cores`
  const sum = `2 x ${cores} + 1 = ${useful}`
  const division = pools > 1 ? `${sum}; / ${pools} instances = ${value}` : sum
  const replaced = isDefault ? '' : `; without it ${max.value} (${max.reason})`
  return { ...max, value, reason: `limit 'cores': ${division}${replaced}` }
}
