export { registerPool, snapshotPools } from './registry.ts'
export type { ObservedPool, PoolSnapshot } from './snapshot.ts'
