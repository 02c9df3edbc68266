import { closePools, InvalidOptionError, type SharedPool } from '@poolguard/core'
import { prefixOptionErrors } from '@poolguard/core/adapter'
import type { GuardedPool, GuardedPoolClass, GuardedPoolConfig, sharedGuardedPool } from '@poolguard/pg'
import type { PoolguardFastifyOptions } from './plugin-options.ts'

/** The pools of one registration. */
export interface PluginPools {
  readonly pool: GuardedPool | undefined
  readonly pools: Readonly<Record<string, GuardedPool>>
  /** Undefined if the registration has no pools: it then covers every pool of the process. */
  readonly all: readonly GuardedPool[] | undefined
  /** Drains the pools that the plugin owns. */
  close(): Promise<void>
}

/**
 * Takes pools as they are and creates pools from configurations. Opens no connection.
 *
 * @throws {InvalidOptionError} for a value that is neither a pool nor a configuration, and for an invalid option;
 * `ConnectionStringError` for a bad URL.
 */
export function takePools(options: PoolguardFastifyOptions, pgModules: () => PgModules): PluginPools {
  const { name, pool, pools = {}, closeOnShutdown = false } = options
  if (pool !== undefined && options.pools !== undefined) {
    throw new InvalidOptionError('pools', options.pools, 'no value together with pool')
  }
  if (typeof pools !== 'object' || pools === null) {
    throw new InvalidOptionError('pools', pools, 'an object of pools or their configurations')
  }
  const take = (option: string, given: unknown, poolName: string | undefined): SharedPool<GuardedPool> => {
    if (isGuardedPool(given)) return { pool: given, end: async () => endPool(given, closeOnShutdown) }
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
  // An HTTP server may start together with its database, so wait for the database.
  return modules.sharedGuardedPool(modules.GuardedPool, {
    waitForServer: true,
    ...(name !== undefined && { name }),
    ...config,
  })
}

async function endPool(pool: GuardedPool, closeOnShutdown: boolean): Promise<void> {
  if (closeOnShutdown && !pool.closed) await pool.end()
}

/** Checks methods, not the class: the pool may come from another copy of pg or of @poolguard/pg. */
function isGuardedPool(given: unknown): given is GuardedPool {
  const { connect, snapshot } = Object(given) as Partial<GuardedPool>
  return typeof connect === 'function' && typeof snapshot === 'function'
}

function requireConfig(option: string, given: unknown): GuardedPoolConfig {
  if (typeof given === 'object' && given !== null && !('connect' in given)) return given
  const wanted = 'a GuardedPool or its options; replace a pg.Pool by a GuardedPool of @poolguard/pg'
  throw new InvalidOptionError(option, given, wanted)
}

/** The module pg, as plugins such as @fastify/postgres take it. */
export type Pg = typeof import('pg')

export interface PgModules {
  readonly GuardedPool: GuardedPoolClass
  readonly sharedGuardedPool: typeof sharedGuardedPool
  /** The module pg with its Pool replaced by GuardedPool. */
  readonly pg: Pg
}

/**
 * Loads the modules that need pg. An app with another driver may not have pg installed, so the import error is thrown only when
 * the modules are used.
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
