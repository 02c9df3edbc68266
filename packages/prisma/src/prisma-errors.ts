import type { AcquireTimeoutError, ConnectError, PoolSaturatedError } from '@poolguard/core'
import type { GuardedPool } from '@poolguard/pg'
import type { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import manifest from '@prisma/client/package.json' with { type: 'json' }
import { PrismaClientKnownRequestError } from '@prisma/client/runtime/client'

type Adapter = Awaited<ReturnType<PlainPrismaPg['connect']>>

type Starved = AcquireTimeoutError | PoolSaturatedError
type PoolError = Starved | ConnectError

/** Where Prisma's adapter translates the driver's errors; protected in its types. */
interface Translates {
  onError(error: unknown): never
}

/**
 * Lets what the pool says reach Prisma's users in the codes that Prisma has for it
 * (https://www.prisma.io/docs/orm/reference/error-reference):
 *
 * - P2024, no connection in time, with the `meta` of Prisma 5 and 6. Prisma 7 has no error of its own for it any more.
 * - P2037, none because the server was full all the time.
 * - What the server said when it refused a connection, as Prisma's own adapter translates it: P1000, P1003, P1010...
 *
 * Prisma makes a new error out of ours for a query, and keeps its message, code and meta. One of a transaction's start
 * it passes on as it is, which is why it must be Prisma's own class from the beginning.
 */
export function speakPrisma(adapter: Adapter, pool: GuardedPool): void {
  const translating =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      method.apply(adapter, args).catch((error) => {
        throw inPrismasWords(error, adapter, pool)
      })
  adapter.queryRaw = translating(adapter.queryRaw)
  adapter.executeRaw = translating(adapter.executeRaw)
  adapter.executeScript = translating(adapter.executeScript)
  adapter.startTransaction = translating(adapter.startTransaction)
}

/** By name and code, not by class: a pool with a name may come from an earlier load of poolguard. */
function inPrismasWords(error: unknown, adapter: Adapter, pool: GuardedPool): unknown {
  const { name, code } = (error ?? {}) as PoolError | { readonly name?: undefined; readonly code?: undefined }
  if (name === 'ConnectError') return inAdaptersWords(adapter, (error as ConnectError).cause) ?? error
  if (code !== 'POOLGUARD_ACQUIRE_TIMEOUT' && code !== 'POOLGUARD_SATURATED') return error
  const starved = error as Starved
  return starved.pool.trouble?.failure === 'full' ? tooManyConnections(starved, adapter) : poolTimeout(starved, pool)
}

function poolTimeout(error: Starved, pool: GuardedPool): Error {
  const timeout = pool.settings.values.acquireTimeoutMillis / 1_000
  const limit = error.pool.max
  // Prisma's own sentence first, for whoever looks for it in the logs.
  const own = `Timed out fetching a new connection from the connection pool. (Current connection pool timeout: ${timeout}, connection limit: ${limit})`
  const message = error.code === 'POOLGUARD_ACQUIRE_TIMEOUT' ? `${own}\n${error.message}` : error.message
  return known(message, 'P2024', { connection_limit: limit, timeout }, error)
}

function tooManyConnections(error: Starved, adapter: Adapter): Error {
  const driverAdapterError = inAdaptersWords(adapter, error.pool.trouble?.error)
  const meta = driverAdapterError === undefined ? {} : { driverAdapterError }
  return known(`Too many database connections opened: ${error.message}`, 'P2037', meta, error)
}

function known(message: string, code: string, meta: Record<string, unknown>, cause: Error): Error {
  const error = new PrismaClientKnownRequestError(message, { code, meta, clientVersion: manifest.version })
  return Object.assign(error, { cause })
}

/** Undefined for an error that Prisma's adapter has no words for. */
function inAdaptersWords(adapter: Adapter, error: unknown): unknown {
  try {
    return (adapter as unknown as Translates).onError(error)
  } catch (translated) {
    return translated === error ? undefined : translated
  }
}
