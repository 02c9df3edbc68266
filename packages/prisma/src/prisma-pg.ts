import {
  credentialSourceOf,
  KnownSecrets,
  parseConnectionString,
  readDriversUrl,
  registerOwnCode,
  rejectForeignOptions,
} from '@poolguard/core/adapter'
import type { ConnectionString } from '@poolguard/core/postgres'
import { type GuardedPool, type GuardedPoolConfig, sharedGuardedPool, validateConfig } from '@poolguard/pg'
import { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import { guardedPoolOfPrisma, requireOwnPool } from './guarded-pool-of-prisma.ts'
import { translateErrors } from './prisma-errors.ts'

registerOwnCode(new Error(), 'prisma')

type PoolConfig = Exclude<ConstructorParameters<typeof PlainPrismaPg>[0], string | { readonly connect: unknown }>
type PlainOptions = NonNullable<ConstructorParameters<typeof PlainPrismaPg>[1]>
type Adapter = Awaited<ReturnType<PlainPrismaPg['connect']>>

/** The second argument of Prisma's PrismaPg, without `disposeExternalPool`: poolguard always drains its pool. */
export type GuardedPrismaPgOptions = Omit<PlainOptions, 'disposeExternalPool'>

/**
 * Prisma's PrismaPg on a guarded pool: only the import changes.
 *
 * Each `connect` creates a pool and each `$disconnect` drains it, so that a client can disconnect and connect again. With a `name`,
 * clients created by reloads of a module share one pool, and `$disconnect` of the latest client drains it. The adapter uses `schema`
 * from the URL, which Prisma 7 ignores.
 *
 * @throws {ConnectionStringError} for a bad URL, InvalidOptionError for an invalid option.
 * @example
 * import { PrismaPg } from '@poolguard/prisma'
 *
 * const prisma = new PrismaClient({ adapter: new PrismaPg({ url: process.env.DATABASE_URL, instances: 6 }) })
 */
export class PrismaPg extends PlainPrismaPg {
  readonly #config: GuardedPoolConfig
  readonly #options: PlainOptions

  constructor(config: string | GuardedPoolConfig, options: GuardedPrismaPgOptions = {}) {
    // Not `=== 'string'`: for undefined, validateConfig throws an error that mentions the environment variable.
    const guarded = typeof config === 'object' ? config : { url: config }
    validateConfig(guarded)
    rejectForeignOptions(options, 'the first argument, as in new PrismaPg({ url, fleet })')
    const connectionString = guarded.url ?? guarded.connectionString
    // The base class needs the connection for the shadow database, which migrations open without a guarded pool.
    const complete = readDriversUrl(connectionString ?? '')?.href
    super({ ...(guarded as PoolConfig), ...(complete && { connectionString: complete }) }, options)
    const connection = connectionString === undefined ? undefined : parseConnectionString(connectionString)
    const schema = options.schema ?? connection?.parameter('schema')
    this.#config = connection ? withoutPublicSchema(guarded, connection) : guarded
    this.#options = { ...options, ...(schema !== undefined && { schema }) }
  }

  /** The base class makes a plain pool, for which only one password can be given. */
  override async connectToShadowDb(): ReturnType<PlainPrismaPg['connectToShadowDb']> {
    const login = await loginOnce(this.#config)
    if (login) Reflect.set(this, 'config', { ...this.#config, ...login })
    return super.connectToShadowDb()
  }

  override async connect(): ReturnType<PlainPrismaPg['connect']> {
    const { pool, end } = sharedGuardedPool(await guardedPoolOfPrisma(), this.#config)
    // With `disposeExternalPool: false`, Prisma's `dispose` only removes its listener from the pool.
    const adapter = await new PlainPrismaPg(pool, { ...this.#options, disposeExternalPool: false }).connect()
    requireOwnPool(adapter, pool)
    await replaceListener(adapter, pool)
    translateErrors(adapter, pool)
    const removeListener = adapter.dispose.bind(adapter)
    adapter.dispose = async () => {
      await removeListener()
      await end()
    }
    return adapter
  }
}

/** The present answer of a password or credentials function, or of the password file, for one plain pool. Undefined without one. */
async function loginOnce(config: GuardedPoolConfig): Promise<PoolConfig | undefined> {
  const connection = readDriversUrl(config.url ?? config.connectionString ?? '')
  const { credentials, password = connection?.password } = config
  const passfile = connection?.parameter('passfile')
  const source = credentialSourceOf({ credentials, password, passfile }, new KnownSecrets())
  if (!source) return undefined
  const host = connection?.hosts[0]
  const user = connection?.user ?? config.user ?? ''
  const answer = await source.get({
    host: host?.host || config.host || 'localhost',
    port: host?.port ?? config.port ?? 5432,
    user,
    database: connection?.database ?? config.database ?? user,
  })
  if (answer.password === undefined) return undefined
  const login = { user: answer.user ?? user, password: answer.password }
  // pg prefers the user and the password of a URL.
  return connection ? { ...login, connectionString: connection.with(login).href } : login
}

const LISTENING: unique symbol = Symbol.for('poolguard.prisma.listening.1')

/**
 * Each adapter listens to its pool's errors. If a new adapter takes over a named pool, only the latest listener stays. The disposer
 * is stored on the pool, because the pool survives a reload of this module.
 */
async function replaceListener(
  adapter: Adapter,
  pool: GuardedPool & { [LISTENING]?: () => Promise<void> },
): Promise<void> {
  await pool[LISTENING]?.()
  Object.defineProperty(pool, LISTENING, { value: adapter.dispose.bind(adapter), configurable: true })
}

/**
 * Every URL that `prisma init` writes ends in `?schema=public`. The pool would send it as search_path, which equals the server's
 * default and which poolers reject.
 */
function withoutPublicSchema(config: GuardedPoolConfig, connection: ConnectionString): GuardedPoolConfig {
  if (connection.parameter('schema') !== 'public') return config
  const rewritten = connection.without('schema').href
  return config.url === undefined ? { ...config, connectionString: rewritten } : { ...config, url: rewritten }
}
