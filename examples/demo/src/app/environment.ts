/** The environment variables of the demo's app processes. */
export interface AppEnvironment {
  readonly DATABASE_URL: string
  /** The store to use. */
  readonly STORE: StoreName
  /** For the guarded stores only: the app whose processes share the database. */
  readonly FLEET?: string
  /** For the guarded stores only: the pool's max. */
  readonly POOL_MAX?: string
  /** For the guarded stores only: the pool's name. */
  readonly POOL_NAME?: string
  /** The number of concurrent clients. */
  readonly CONCURRENCY: string
  /** The number of requests that each client makes, one after the other. */
  readonly REQUESTS: string
}

/** The environment variables of an app process of `--watch`, whose clients make requests until it ends. */
export interface WatchedAppEnvironment extends Omit<AppEnvironment, 'REQUESTS'> {
  /** Of the app's admin endpoint. */
  readonly ADMIN_TOKEN: string
}

export const STORES = ['drizzle', 'drizzle-guarded', 'prisma', 'prisma-guarded'] as const
export type StoreName = (typeof STORES)[number]

interface GuardOptions {
  readonly fleet?: { readonly app: string }
  readonly pool?: { readonly max: number }
  readonly name?: string
}

/** The options of the guarded stores next to the URL. */
export function guardOptions(environment: NodeJS.ProcessEnv): GuardOptions {
  const { FLEET, POOL_MAX, POOL_NAME } = environment
  return {
    ...(FLEET !== undefined && { fleet: { app: FLEET } }),
    ...(POOL_MAX !== undefined && { pool: { max: Number(POOL_MAX) } }),
    ...(POOL_NAME !== undefined && { name: POOL_NAME }),
  }
}
