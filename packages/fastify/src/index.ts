/**
 * Health, metrics, load shedding and a drain for Fastify.
 *
 * @module @poolguard/fastify
 */

export type { ShedLoadOptions } from '@poolguard/core/web'
export { type EndpointOptions, LoadShedError, type MetricsOptions, type RequestOptions } from '@poolguard/web'
export type { PoolguardFastifyOptions } from './plugin-options.ts'
export { poolguardFastify, poolguardFastify as default } from './poolguard-fastify.ts'
export type { FastifyPoolguard, PoolguardInstance } from './poolguard-instance.ts'
