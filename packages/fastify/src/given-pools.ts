import type { SharedPool } from '@poolguard/core'
import { closePools, InvalidOptionError } from '@poolguard/core'
import { prefixOptionErrors } from '@poolguard/core/adapter'
import type { GuardedPool, GuardedPoolClass, GuardedPoolConfig, sharedGuardedPool } from '@poolguard/pg'
import type { PoolguardFastifyOptions } from './plugin-options.ts'

/** The pools of one registration. */
export interface GivenPools {
  readonly pool: GuardedPool | undefined
  readonly pools: Readonly<Record<string, GuardedPool>>
  /** Undefined where none was given, so that every pool of the process is meant. */
  readonly all: readonly GuardedPool[] | undefined
  /** Drains those that are the plugin's to close. */
  close(): Promise<void>
}

/**
 * Takes the pools that were given, and makes those of which a configuration was given. Nothing is connected yet.
 *
 * @throws {InvalidOptionError} for what is neither, and for an option of a configuration; `ConnectionStringError` for
 * a bad URL.
 */
export function takePools(options: PoolguardFastifyOptions, pgModules: () => PgModules): GivenPools {
  const { name, pool, pools = {}, closeOnShutdown = false } = options
  if (pool !== undefined && options.pools !== undefined) {
    throw new InvalidOptionError('pools', options.pools, 'no value where pool is given too')
  }
  if (typeof pools !== 'object' || pools === null) {
    throw new InvalidOptionError('pools', pools, 'an object of pools or their configurations')
  }
  const take = (option: string, given: unknown, poolName: string | undefined): SharedPool<GuardedPool> => {
    if (isGuardedPool(given)) return { pool: given, end: async () => endGiven(given, closeOnShutdown) }
    const config = requireConfig(option, given)
    const modules = pgModules()
    return prefixOptionErrors(option, () => makePool(config, poolName, modules))
  }
  const one = pool === undefined ? undefined : take('pool', pool, name)
  const several = Object.entries(pools).map(
    ([key, given]) => [key, take(`pools.${key}`, given, name === undefined ? key : `${name}-${key}`)] as const,
  )
  const taken = [...(one ? [one] : []), ...several.map(([, each]) => each)]
  const noneGiven = taken.length === 0
  return {
    pool: one?.pool,
    pools: Object.fromEntries(several.map(([key, each]) => [key, each.pool])),
    all: noneGiven ? undefined : taken.map((each) => each.pool),
    close: async () => {
      if (noneGiven && closeOnShutdown) await closePools()
      await Promise.all(taken.map((each) => each.end()))
    },
  }
}

function makePool(config: GuardedPoolConfig, name: string | undefined, modules: PgModules): SharedPool<GuardedPool> {
  // A server lives long, and may start together with its database.
  return modules.sharedGuardedPool(modules.GuardedPool, {
    waitForServer: true,
    ...(name !== undefined && { name }),
    ...config,
  })
}

async function endGiven(pool: GuardedPool, closeOnShutdown: boolean): Promise<void> {
  if (closeOnShutdown && !pool.closed) await pool.end()
}

/** By what it does: it may be of another copy of pg, or of this package. */
function isGuardedPool(given: unknown): given is GuardedPool {
  const { connect, snapshot } = Object(given) as Partial<GuardedPool>
  return typeof connect === 'function' && typeof snapshot === 'function'
}

function requireConfig(option: string, given: unknown): GuardedPoolConfig {
  if (typeof given === 'object' && given !== null && !('connect' in given)) return given
  const wanted = 'a GuardedPool or the configuration of one; a pg.Pool has to be a GuardedPool of @poolguard/pg'
  throw new InvalidOptionError(option, given, wanted)
}

/** The module pg, as plugins such as @fastify/postgres take it. */
export type Pg = typeof import('pg')

export interface PgModules {
  readonly GuardedPool: GuardedPoolClass
  readonly sharedGuardedPool: typeof sharedGuardedPool
  /** pg itself, but for its Pool, which is guarded. */
  readonly pg: Pg
}

/**
 * Loads what needs pg. An app whose pools are of another driver has none, so that its absence is told only to those who
 * ask for something of it.
 */
export async function loadPg(): Promise<() => PgModules> {
  try {
    const [{ GuardedPool, sharedGuardedPool }, { default: pg }] = await Promise.all([
      import('@poolguard/pg'),
      import('pg'),
    ])
    const modules = { GuardedPool, sharedGuardedPool, pg: { ...pg, Pool: GuardedPool } as unknown as Pg }
    return () => modules
  } catch (error) {
    return () => {
      throw error
    }
  }
}
