import { type ObservedPool, PoolguardError } from '@poolguard/core'
import { listPools, shedRequests } from '@poolguard/core/adapter'
import type { GuardedPool } from '@poolguard/pg'
import type { FastifyInstance } from 'fastify'
import type { ShedLoadOptions } from './plugin-options.ts'

/** Too many callers wait for a connection: the plugin rejected the request before its handler ran. */
export class LoadShedError extends PoolguardError {
  static {
    LoadShedError.prototype.name = 'LoadShedError'
  }

  readonly code = 'POOLGUARD_LOAD_SHED'
  /** The HTTP status of Fastify's reply. */
  readonly statusCode = 503

  constructor() {
    super('Too many requests wait for the database. Try again later.')
  }
}

/**
 * Rejects new requests while too many callers wait, as @fastify/under-pressure does: the error goes to the app's error handler,
 * with the reply's status and Retry-After already set.
 *
 * @param pools undefined means every pool of the process.
 */
export function shedLoad(
  fastify: FastifyInstance,
  pools: readonly GuardedPool[] | undefined,
  { waiters, retryAfterSeconds }: Required<ShedLoadOptions>,
): void {
  const countWaiting = pools ? () => sum(pools, waitingIn) : () => sum(listPools(), waitingInObserved)
  // One error for all requests: capturing a stack per rejected request would cost time and add nothing.
  const error = new LoadShedError()
  const shed = shedRequests()
  fastify.addHook('onRequest', (request, reply, done) => {
    if (countWaiting() <= waiters || request.routeOptions.config.poolguard?.shedLoad === false) return done()
    shed.count++
    reply.code(error.statusCode).header('retry-after', retryAfterSeconds)
    done(error)
  })
}

function waitingIn({ waitingCount }: GuardedPool): number {
  return waitingCount
}

/** Prefers the counters: a snapshot per request would be expensive. */
function waitingInObserved(pool: ObservedPool): number {
  return pool.counts?.waiting ?? pool.snapshot().stats.waiting
}

function sum<P>(pools: readonly P[], count: (pool: P) => number): number {
  let total = 0
  for (const pool of pools) total += count(pool)
  return total
}
