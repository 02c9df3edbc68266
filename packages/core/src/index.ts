/**
 * What every adapter shares, and what an app asks of its pools.
 *
 * @module @poolguard/core
 */

export * from './budget/index.ts'
export { abortAfter, type Clock, inTime, MAX_TIMER_MILLIS, pause, setImmediate, systemClock } from './clock.ts'
export * from './connection-string/index.ts'
export { definedOnly } from './defined-only.ts'
export * from './drivers/index.ts'
export { type FleetName, readFleetName, type Share } from './fleet/index.ts'
export * from './guard/index.ts'
export { InvalidOptionError, requireMillis, requireOneOf, requireWhole, withinOption } from './invalid-option-error.ts'
export * from './lifecycle/index.ts'
export * from './observe/index.ts'
export * from './pool/index.ts'
export { PoolguardError } from './poolguard-error.ts'
export * from './postgres-errors/index.ts'
export * from './provider/index.ts'
export { redact } from './redact.ts'
export * from './settings/index.ts'
export * from './statements/index.ts'
export * from './topology/index.ts'
