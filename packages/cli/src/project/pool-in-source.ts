import type { PoolSizeSource } from '../source/size-source.ts'
/** The library whose pool a source creates, by its package on npm or its usual name. */
export type PoolLibrary =
  | 'pg'
  | 'postgres'
  | 'typeorm'
  | 'drizzle'
  | 'prisma'
  | 'knex'
  | 'sequelize'
  | 'mikro-orm'
  | 'kysely'
  | 'vercel-postgres'
  | 'neon-serverless'
  | 'pg-boss'
  | 'better-auth'
  | 'langgraph'
  | 'connect-pg-simple'
  | 'graphile-worker'
  | 'postgraphile'
  | 'fastify-postgres'
  | 'slonik'
  | 'pg-promise'
  | 'payload'
  | 'keyv'
  | 'databases'

/**
 * How often the code creates the pool.
 * - `process`: once, when the module is loaded, or once behind a guard on `globalThis`.
 * - `call`: on every call of a function with parameters, such as a request handler or a tenant's connection.
 * - `reload`: whenever a development server reloads the module (`next dev`, Vite), because nothing keeps the pool.
 */
export type PoolCreation = 'process' | 'call' | 'reload'

/** `script`: a program of its own, such as a seed or a migration, that does not run in the app's processes. */
export type PoolRole = 'app' | 'script'

/** A pool that the sources of an app create. No code of the project has run to find it. */
export interface PoolInSource {
  /** The file, relative to the project's root, with `/`. */
  readonly file: string
  readonly line: number
  readonly library: PoolLibrary
  /** The largest number of connections of one such pool; undefined if it cannot be read from the files. */
  readonly max: number | undefined
  readonly maxFrom: PoolSizeSource
  /** The file and line of the size; those of the call if the size is the library's default. */
  readonly maxFile: string
  readonly maxLine: number
  /** Pools that one creation opens: TypeORM opens one for the master and one for each replica. */
  readonly pools: number
  readonly per: PoolCreation
  readonly role: PoolRole
  /** Created by an adapter of poolguard, which keeps within the server's limits at run time. */
  readonly guarded: boolean
  /** The environment variable with the address, such as `DATABASE_URL`; undefined if the call names none. */
  readonly urlVariable: string | undefined
  /** The app's directory, relative to the project's root; `''` for the root itself. */
  readonly app: string
}
