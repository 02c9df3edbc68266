import { type HealthMonitor, InvalidOptionError, type ProcessHealth } from '@poolguard/core'
import type { GuardedPool } from '@poolguard/pg'
import type { FastifyInstance } from 'fastify'
import type { GivenPools, Pg, PgModules } from './given-pools.ts'

/** What one registration puts on the app. */
export interface PoolguardInstance {
  /**
   * The pool that was given or configured as `pool`.
   *
   * @throws {InvalidOptionError} where there was none.
   */
  readonly pool: GuardedPool
  /** Those that were given or configured as `pools`, by their keys. */
  readonly pools: Readonly<Record<string, GuardedPool>>
  /**
   * The health of this registration's pools; where it has none, of every guarded pool of the process.
   *
   * @example
   * app.poolguard.health() // { status: 'warning', pools: [{ name: 'orders', status: 'warning', reasons: ['9 callers wait ...'] }] }
   */
  health(): ProcessHealth
  /**
   * The module pg with a guarded Pool, for plugins that make their own.
   *
   * @throws where pg is not installed.
   * @example
   * app.register(fastifyPostgres, { pg: app.poolguard.pg, connectionString: process.env.DATABASE_URL })
   */
  readonly pg: Pg
}

/** `fastify.poolguard`: the registration without a name itself, and those that have one by their names. */
export type FastifyPoolguard = PoolguardInstance & Readonly<Record<string, PoolguardInstance>>

declare module 'fastify' {
  interface FastifyInstance {
    poolguard: FastifyPoolguard
  }

  interface FastifyContextConfig {
    poolguard?: {
      /** False for a route that is to be served however many callers wait. */
      readonly shedLoad?: boolean
    }
  }
}

const OWN_KEYS: readonly string[] = ['pool', 'pools', 'health', 'pg'] satisfies (keyof PoolguardInstance)[]

export function makeInstance(given: GivenPools, monitor: HealthMonitor, pgModules: () => PgModules): PoolguardInstance {
  return {
    get pool() {
      if (given.pool) return given.pool
      throw new InvalidOptionError('pool', undefined, 'a pool or its configuration, for poolguard.pool to be there')
    },
    pools: given.pools,
    health: () => monitor.check(),
    get pg() {
      return pgModules().pg
    },
  }
}

/** @throws {InvalidOptionError} where another registration is in the way. */
export function requireFree(fastify: FastifyInstance, name: string | undefined): void {
  if (name !== undefined && OWN_KEYS.includes(name)) {
    throw new InvalidOptionError('name', name, `another name than ${OWN_KEYS.join(', ')}`)
  }
  if (!fastify.hasDecorator('poolguard')) return
  if (name === undefined && 'health' in fastify.poolguard) {
    throw new InvalidOptionError('name', name, 'a name: poolguard is registered without one already')
  }
  if (name !== undefined && name in fastify.poolguard) {
    throw new InvalidOptionError('name', name, 'a name of its own: poolguard is registered with this one already')
  }
}

/** Puts a registration where its name belongs, in whichever order they come. */
export function decorate(fastify: FastifyInstance, name: string | undefined, instance: PoolguardInstance): void {
  if (!fastify.hasDecorator('poolguard')) fastify.decorate('poolguard', Object.create(null))
  // Copied as they are: some of them throw when they are read.
  const properties = name === undefined ? Object.getOwnPropertyDescriptors(instance) : { [name]: { value: instance } }
  Object.defineProperties(fastify.poolguard, properties)
}
