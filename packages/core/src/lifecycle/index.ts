export { type HeldPool, holdPool, type NamedPool } from './named-pools.ts'
export { closePools, installShutdown, type ShutdownOptions } from './shutdown.ts'
