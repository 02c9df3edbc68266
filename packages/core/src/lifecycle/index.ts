export { type NamedPool, type SharedPool, sharePool } from './named-pools.ts'
export { closePools, installShutdown, type ShutdownOptions } from './shutdown.ts'
