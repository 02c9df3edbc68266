import { type ObservedPool, PoolguardError } from '@poolguard/core'
import { listPools, shedRequests } from '@poolguard/core/adapter'
import type { GuardedPool } from '@poolguard/pg'
import type { FastifyInstance } from 'fastify'
import type { ShedLoadOptions } from './plugin-options.ts'

/** So many callers wait for a connection that the request was turned away before its handler. */
export class LoadShedError extends PoolguardError {
  static {
    LoadShedError.prototype.name = 'LoadShedError'
  }

  readonly code = 'POOLGUARD_LOAD_SHED'
  /** What Fastify answers. */
  readonly statusCode = 503

  constructor() {
    super('Too many requests wait for the database. Try again later.')
  }
}

/**
 * Turns new requests away while too many callers wait, as @fastify/under-pressure does: the error goes to the app's error
 * handler, which sees the answer's status and Retry-After set.
 *
 * @param pools undefined: every pool of the process.
 */
export function shedLoad(
  fastify: FastifyInstance,
  pools: readonly GuardedPool[] | undefined,
  { waiters, retryAfterSeconds }: Required<ShedLoadOptions>,
): void {
  const countWaiting = pools ? () => sum(pools, waitingIn) : () => sum(listPools(), waitingInObserved)
  // One for all: there is no time for stacks now, and they would all be the same.
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

/** A whole snapshot for each request would be dear. */
function waitingInObserved(pool: ObservedPool): number {
  return pool.counts?.waiting ?? pool.snapshot().stats.waiting
}

function sum<P>(pools: readonly P[], count: (pool: P) => number): number {
  let total = 0
  for (const pool of pools) total += count(pool)
  return total
}
