/** The environment variables of the demo's app processes. */
export interface AppEnvironment {
  readonly DATABASE_URL: string
  /** The store to use. */
  readonly STORE: StoreName
  /** For the guarded stores only: the app whose processes share the database. */
  readonly FLEET?: string
  /** For the guarded stores only: the pool's max. */
  readonly POOL_MAX?: string
  /** The number of concurrent clients. */
  readonly CONCURRENCY: string
  /** The number of requests that each client makes, one after the other. */
  readonly REQUESTS: string
}

export const STORES = ['drizzle', 'drizzle-guarded', 'prisma', 'prisma-guarded'] as const
export type StoreName = (typeof STORES)[number]

/** The options of the guarded stores next to the URL. */
export function guardOptions(environment: NodeJS.ProcessEnv): { fleet?: { app: string }; pool?: { max: number } } {
  const { FLEET, POOL_MAX } = environment
  return {
    ...(FLEET !== undefined && { fleet: { app: FLEET } }),
    ...(POOL_MAX !== undefined && { pool: { max: Number(POOL_MAX) } }),
  }
}
