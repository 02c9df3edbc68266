import type { AcquireTimeoutError, ConnectError, PoolOverloadedError, PoolSaturatedError } from '@poolguard/core'
import type { GuardedPool } from '@poolguard/pg'
import type { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import manifest from '@prisma/client/package.json' with { type: 'json' }
import { PrismaClientKnownRequestError } from '@prisma/client/runtime/client'

type Adapter = Awaited<ReturnType<PlainPrismaPg['connect']>>

type AcquireError = AcquireTimeoutError | PoolSaturatedError | PoolOverloadedError
type PoolError = AcquireError | ConnectError

const ACQUIRE_CODES: ReadonlySet<unknown> = new Set<AcquireError['code']>([
  'POOLGUARD_ACQUIRE_TIMEOUT',
  'POOLGUARD_SATURATED',
  'POOLGUARD_OVERLOADED',
])

/** Prisma's adapter translates driver errors in this method; its types declare it as protected. */
interface ErrorTranslator {
  onError(error: unknown): never
}

/**
 * Translates errors of the pool to Prisma's error codes (https://www.prisma.io/docs/orm/reference/error-reference):
 *
 * - P2024: no connection in time, with the `meta` of Prisma 5 and 6. Prisma 7 has no such error itself.
 * - P2037: no connection in time because the server was full.
 * - P1000, P1003, P1010...: the server rejected the connection; Prisma's adapter translates its error.
 *
 * For queries, Prisma creates a new error from ours and keeps its message, code and meta. Prisma passes an error of a transaction's
 * start on unchanged, so it must already be an instance of Prisma's class.
 */
export function translateErrors(adapter: Adapter, pool: GuardedPool): void {
  const translating =
    <A extends unknown[], R>(method: (...args: A) => Promise<R>) =>
    (...args: A): Promise<R> =>
      method.apply(adapter, args).catch((error) => {
        throw toPrismaError(error, adapter, pool)
      })
  adapter.queryRaw = translating(adapter.queryRaw)
  adapter.executeRaw = translating(adapter.executeRaw)
  adapter.executeScript = translating(adapter.executeScript)
  adapter.startTransaction = translating(adapter.startTransaction)
}

/** Compares name and code, not the class: a named pool may come from an earlier load of poolguard. */
function toPrismaError(error: unknown, adapter: Adapter, pool: GuardedPool): unknown {
  const { name, code } = (error ?? {}) as PoolError | { readonly name?: undefined; readonly code?: undefined }
  if (name === 'ConnectError') return toAdapterError(adapter, (error as ConnectError).cause) ?? error
  if (!ACQUIRE_CODES.has(code)) return error
  const acquireError = error as AcquireError
  return acquireError.pool.trouble?.failure === 'full'
    ? tooManyConnections(acquireError, adapter)
    : poolTimeout(acquireError, pool)
}

function poolTimeout(error: AcquireError, pool: GuardedPool): Error {
  const timeout = pool.settings.values.acquireTimeoutMillis / 1_000
  const limit = error.pool.max
  // Begin with Prisma's own sentence, so that searches in logs find it.
  const prismaMessage = `Timed out fetching a new connection from the connection pool. (Current connection pool timeout: ${timeout}, connection limit: ${limit})`
  const message = error.code === 'POOLGUARD_ACQUIRE_TIMEOUT' ? `${prismaMessage}\n${error.message}` : error.message
  return knownRequestError(message, 'P2024', { connection_limit: limit, timeout }, error)
}

function tooManyConnections(error: AcquireError, adapter: Adapter): Error {
  const driverAdapterError = toAdapterError(adapter, error.pool.trouble?.error)
  const meta = driverAdapterError === undefined ? {} : { driverAdapterError }
  return knownRequestError(`Too many database connections opened: ${error.message}`, 'P2037', meta, error)
}

function knownRequestError(message: string, code: string, meta: Record<string, unknown>, cause: Error): Error {
  const error = new PrismaClientKnownRequestError(message, { code, meta, clientVersion: manifest.version })
  return Object.assign(error, { cause })
}

/** Undefined if Prisma's adapter has no translation for the error. */
function toAdapterError(adapter: Adapter, error: unknown): unknown {
  try {
    return (adapter as unknown as ErrorTranslator).onError(error)
  } catch (translated) {
    return translated === error ? undefined : translated
  }
}
