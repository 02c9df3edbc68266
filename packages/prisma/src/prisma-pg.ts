import { parseConnectionString } from '@poolguard/core'
import {
  type GuardedPoolClass,
  type GuardedPoolConfig,
  guardPoolClass,
  type PoolClass,
  validateConfig,
} from '@poolguard/pg'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'

type PlainOptions = NonNullable<ConstructorParameters<typeof PlainPrismaPg>[1]>

/** What Prisma's own PrismaPg takes beside the connection; whether the pool is disposed of is no question here. */
export type GuardedPrismaPgOptions = Omit<PlainOptions, 'disposeExternalPool'>

/**
 * Prisma's own PrismaPg, on a guarded pool: where PrismaClient is made, only the import changes.
 *
 * Each `connect` makes a pool and each `$disconnect` drains it, so that a client may disconnect and go on later. A
 * `schema` in the URL, which Prisma 7 ignores, becomes the adapter's.
 *
 * @throws {ConnectionStringError} for a bad URL, {@link InvalidOptionError} for an option that cannot be meant.
 * @example
 * import { PrismaPg } from '@poolguard/prisma'
 *
 * const prisma = new PrismaClient({ adapter: new PrismaPg({ url: process.env.DATABASE_URL, instances: 6 }) })
 */
export class PrismaPg extends PlainPrismaPg {
  readonly #config: GuardedPoolConfig
  readonly #options: PlainOptions

  constructor(config: string | GuardedPoolConfig, options: GuardedPrismaPgOptions = {}) {
    // Not `=== 'string'`: an environment variable that is not set gets the error that says so.
    const guarded = typeof config === 'object' ? config : { url: config }
    validateConfig(guarded)
    const connectionString = guarded.url ?? guarded.connectionString
    // The base class gets the connection for the shadow database, which migrations make without a guard.
    super({ ...guarded, ...(connectionString && { connectionString }) }, options)
    this.#config = guarded
    const schema = options.schema ?? schemaOf(connectionString)
    this.#options = { ...options, ...(schema !== undefined && { schema }) }
  }

  override async connect(): ReturnType<PlainPrismaPg['connect']> {
    const GuardedPool = await guardedPoolOfPrisma()
    const pool = new GuardedPool(this.#config)
    return new PlainPrismaPg(pool, { ...this.#options, disposeExternalPool: true }).connect()
  }
}

/**
 * PrismaPg takes a pool for one only if it is `instanceof` the Pool of the pg that it imports itself, which need not be
 * the app's. An adapter that is never used shows which that is; it opens no connection.
 */
async function guardedPoolOfPrisma(): Promise<GuardedPoolClass> {
  const unused = await new PlainPrismaPg({}).connect()
  return guardPoolClass(unused.underlyingDriver().constructor as PoolClass)
}

function schemaOf(connectionString: string | undefined): string | undefined {
  return connectionString === undefined ? undefined : parseConnectionString(connectionString).parameter('schema')
}
