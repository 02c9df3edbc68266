import { DEFAULT_POOL_SETTINGS, type PoolSettings } from './pool-settings.ts'

/** A kind of place to run in that asks for other defaults. */
export type Preset = 'serverless'

/**
 * Where they differ from the defaults.
 *
 * - `max` 2: a transaction, and one query beside it. Each instance of a function brings its own pool, and platforms start
 *   hundreds (https://www.prisma.io/docs/orm/prisma-client/setup-and-configuration/databases-connections#serverless-environments-faas
 *   begins with 1, which a query beside a transaction turns into a deadlock).
 * - `idleTimeoutMillis` 5 000: a frozen function closes nothing, and while it waits to close it is kept alive
 *   (https://vercel.com/blog/the-real-serverless-compute-to-database-connection-problem-solved).
 * - `acquireTimeoutMillis` 5 000: a request that is billed by the millisecond does not wait for long.
 */
export const PRESETS: Readonly<Record<Preset, Partial<PoolSettings>>> = {
  serverless: { max: 2, idleTimeoutMillis: 5_000, acquireTimeoutMillis: 5_000 },
}

/** The defaults under a preset. */
export function defaultsFor(preset: Preset | undefined): PoolSettings {
  return preset === undefined ? DEFAULT_POOL_SETTINGS : { ...DEFAULT_POOL_SETTINGS, ...PRESETS[preset] }
}
