import type { GuardedPoolClass, holdGuardedPool } from '@poolguard/pg'

/** The module pg, as plugins such as @fastify/postgres take it. */
export type Pg = typeof import('pg')

export interface PgModules {
  readonly GuardedPool: GuardedPoolClass
  readonly holdGuardedPool: typeof holdGuardedPool
  /** pg itself, but for its Pool, which is guarded. */
  readonly pg: Pg
}

/**
 * Loads what needs pg. An app whose pools are of another driver has none, so that its absence is told only to those who
 * ask for something of it.
 */
export async function loadPg(): Promise<() => PgModules> {
  try {
    const [{ GuardedPool, holdGuardedPool }, { default: pg }] = await Promise.all([
      import('@poolguard/pg'),
      import('pg'),
    ])
    const modules = { GuardedPool, holdGuardedPool, pg: { ...pg, Pool: GuardedPool } as unknown as Pg }
    return () => modules
  } catch (error) {
    return () => {
      throw error
    }
  }
}
