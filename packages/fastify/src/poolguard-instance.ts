import { type HealthMonitor, InvalidOptionError, type ProcessHealth } from '@poolguard/core'
import type { GuardedPool } from '@poolguard/pg'
import type { FastifyInstance } from 'fastify'
import type { Pg, PgModules, PluginPools } from './plugin-pools.ts'

/** The API of one registration. */
export interface PoolguardInstance {
  /**
   * The pool given or configured as `pool`.
   *
   * @throws {InvalidOptionError} if the registration has no `pool`.
   */
  readonly pool: GuardedPool
  /** The pools given or configured as `pools`, by key. */
  readonly pools: Readonly<Record<string, GuardedPool>>
  /**
   * The health of this registration's pools or, if it has none, of every guarded pool of the process.
   *
   * @example
   * app.poolguard.health() // { status: 'warning', pools: [{ name: 'orders', status: 'warning', reasons: ['9 callers wait ...'] }] }
   */
  health(): ProcessHealth
  /**
   * The module pg with a guarded Pool, for plugins that create their own pools.
   *
   * @throws if pg is not installed.
   * @example
   * app.register(fastifyPostgres, { pg: app.poolguard.pg, connectionString: process.env.DATABASE_URL })
   */
  readonly pg: Pg
}

/** `fastify.poolguard`: the registration without a name, and the named registrations by name. */
export type FastifyPoolguard = PoolguardInstance & Readonly<Record<string, PoolguardInstance>>

declare module 'fastify' {
  interface FastifyInstance {
    poolguard: FastifyPoolguard
  }

  interface FastifyContextConfig {
    poolguard?: {
      /** False: always serve this route, however many callers wait. */
      readonly shedLoad?: boolean
      /**
       * Milliseconds after which the route's statements are cancelled; they are also cancelled when the client disconnects. False: never
       * cancel them.
       */
      readonly deadline?: number | false
      /** The lane in which the route's hooks and handler acquire connections (option `lanes` of a pool). Default: `default`. */
      readonly lane?: string
    }
  }
}

const OWN_KEYS: readonly string[] = ['pool', 'pools', 'health', 'pg'] satisfies (keyof PoolguardInstance)[]

export function makeInstance(
  given: PluginPools,
  monitor: HealthMonitor,
  pgModules: () => PgModules,
): PoolguardInstance {
  return {
    get pool() {
      if (given.pool) return given.pool
      throw new InvalidOptionError('pool', undefined, 'a pool or its options. Without it there is no poolguard.pool')
    },
    pools: given.pools,
    health: () => monitor.check(),
    get pg() {
      return pgModules().pg
    },
  }
}

/** @throws {InvalidOptionError} if another registration already has this name. */
export function requireFree(fastify: FastifyInstance, name: string | undefined): void {
  if (name !== undefined && OWN_KEYS.includes(name)) {
    throw new InvalidOptionError('name', name, `a name other than ${OWN_KEYS.join(', ')}`)
  }
  if (!fastify.hasDecorator('poolguard')) return
  if (name === undefined && 'health' in fastify.poolguard) {
    throw new InvalidOptionError('name', name, 'a name: poolguard is already registered without a name')
  }
  if (name !== undefined && name in fastify.poolguard) {
    throw new InvalidOptionError('name', name, 'a unique name: poolguard is already registered with this name')
  }
}

/** Adds a registration to `fastify.poolguard`; registrations can come in any order. */
export function decorate(fastify: FastifyInstance, name: string | undefined, instance: PoolguardInstance): void {
  if (!fastify.hasDecorator('poolguard')) fastify.decorate('poolguard', Object.create(null))
  // Copy the descriptors: getters may throw when they are read.
  const properties = name === undefined ? Object.getOwnPropertyDescriptors(instance) : { [name]: { value: instance } }
  Object.defineProperties(fastify.poolguard, properties)
}
