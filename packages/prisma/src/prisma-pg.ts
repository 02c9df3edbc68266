import { registerOwnCode, rejectForeignOptions } from '@poolguard/core/adapter'
import { type ConnectionString, parseConnectionString } from '@poolguard/core/postgres'
import { type GuardedPool, type GuardedPoolConfig, sharedGuardedPool, validateConfig } from '@poolguard/pg'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { guardedPoolOfPrisma, requireOwnPool } from './guarded-pool-of-prisma.ts'
import { speakPrisma } from './prisma-errors.ts'

registerOwnCode(new Error(), 'prisma')

type PlainOptions = NonNullable<ConstructorParameters<typeof PlainPrismaPg>[1]>
type Adapter = Awaited<ReturnType<PlainPrismaPg['connect']>>

/** What Prisma's own PrismaPg takes beside the connection; whether the pool is disposed of is no question here. */
export type GuardedPrismaPgOptions = Omit<PlainOptions, 'disposeExternalPool'>

/**
 * Prisma's own PrismaPg, on a guarded pool: where PrismaClient is made, only the import changes.
 *
 * Each `connect` makes a pool and each `$disconnect` drains it, so that a client may disconnect and go on later. With a
 * `name`, clients that are made anew with every load of a module have one pool between them, and the latest one's
 * `$disconnect` drains it. A `schema` in the URL, which Prisma 7 ignores, becomes the adapter's.
 *
 * @throws {ConnectionStringError} for a bad URL, InvalidOptionError for an option that cannot be meant.
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
    rejectForeignOptions(options, 'the first argument, as in new PrismaPg({ url, fleet })')
    const connectionString = guarded.url ?? guarded.connectionString
    // The base class gets the connection for the shadow database, which migrations make without a guard.
    super({ ...guarded, ...(connectionString && { connectionString }) }, options)
    const connection = connectionString === undefined ? undefined : parseConnectionString(connectionString)
    const schema = options.schema ?? connection?.parameter('schema')
    this.#config = connection ? withoutPublicSchema(guarded, connection) : guarded
    this.#options = { ...options, ...(schema !== undefined && { schema }) }
  }

  override async connect(): ReturnType<PlainPrismaPg['connect']> {
    const { pool, end } = sharedGuardedPool(await guardedPoolOfPrisma(), this.#config)
    // Prisma's own `dispose` only takes its listener off the pool then.
    const adapter = await new PlainPrismaPg(pool, { ...this.#options, disposeExternalPool: false }).connect()
    requireOwnPool(adapter, pool)
    await listenAlone(adapter, pool)
    speakPrisma(adapter, pool)
    const letGo = adapter.dispose.bind(adapter)
    adapter.dispose = async () => {
      await letGo()
      await end()
    }
    return adapter
  }
}

const LISTENING: unique symbol = Symbol.for('poolguard.prisma.listening.1')

/**
 * Each adapter listens to its pool's errors; of a pool that is taken again, only the latest is to. Kept with the pool,
 * which outlives this module where a development server loads that anew, too.
 */
async function listenAlone(adapter: Adapter, pool: GuardedPool & { [LISTENING]?: () => Promise<void> }): Promise<void> {
  await pool[LISTENING]?.()
  Object.defineProperty(pool, LISTENING, { value: adapter.dispose.bind(adapter), configurable: true })
}

/**
 * Every URL that `prisma init` writes ends in `?schema=public`. The pool would send that as the search_path, which is no
 * other than the server's own, and which a pooler refuses.
 */
function withoutPublicSchema(config: GuardedPoolConfig, connection: ConnectionString): GuardedPoolConfig {
  if (connection.parameter('schema') !== 'public') return config
  const rewritten = connection.without('schema').href
  return config.url === undefined ? { ...config, connectionString: rewritten } : { ...config, url: rewritten }
}
