export type { GuardedDriver } from './guarded-driver.ts'
export { type GuardSpec, PoolGuard } from './pool-guard.ts'
export type { PoolguardOptions } from './poolguard-options.ts'
export { readUrlOption } from './url-option.ts'
