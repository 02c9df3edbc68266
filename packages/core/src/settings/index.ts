export { assumedTopology } from './assumed-topology.ts'
export type { SettingsOptions } from './options.ts'
export { DEFAULT_POOL_SETTINGS, type PoolSettings, validatePoolSettings } from './pool-settings.ts'
export { type ResolvedSettings, type ResolveInput, resolveSettings } from './resolve.ts'
