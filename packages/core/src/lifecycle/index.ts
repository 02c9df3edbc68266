export { type NamedPool, type SharedPool, sharePool } from './named-pools.ts'
export { type EndingResponse, requireRouteDeadline, responseDeadline } from './response-deadline.ts'
export { closePools, installShutdown, type ShutdownOptions } from './shutdown.ts'
