export type { SettingsOptions } from './options.ts'
export { DEFAULT_POOL_SETTINGS, type PoolSettings } from './pool-settings.ts'
export { type ResolvedSettings, type ResolveInput, resolveSettings } from './resolve.ts'
