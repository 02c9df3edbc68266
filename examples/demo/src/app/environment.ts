/** How the demo tells its app processes what to do. */
export interface AppEnvironment {
  readonly DATABASE_URL: string
  /** Which of the stores to use. */
  readonly STORE: StoreName
  /** Only the guarded stores look at it: the app whose processes share the database. */
  readonly FLEET?: string
  /** Only the guarded stores look at it: the pool's max. */
  readonly POOL_MAX?: string
  /** Requests that are under way at the same time. */
  readonly CONCURRENCY: string
  /** How many requests each of those makes, one after the other. */
  readonly REQUESTS: string
}

export const STORES = ['drizzle', 'drizzle-guarded', 'prisma', 'prisma-guarded'] as const
export type StoreName = (typeof STORES)[number]

/** What the guarded stores are told beside the URL; all of it is optional. */
export function guardOptions(environment: NodeJS.ProcessEnv): { fleet?: { app: string }; pool?: { max: number } } {
  const { FLEET, POOL_MAX } = environment
  return {
    ...(FLEET !== undefined && { fleet: { app: FLEET } }),
    ...(POOL_MAX !== undefined && { pool: { max: Number(POOL_MAX) } }),
  }
}
