import type { AcquireTimeoutError, ConnectError, PoolOverloadedError, PoolSaturatedError } from '@poolguard/core'
import type { GuardedPool } from '@poolguard/pg'
import type { PrismaPg as PlainPrismaPg } from '@prisma/adapter-pg'
import manifest from '@prisma/client/package.json' with { type: 'json' }
import { PrismaClientKnownRequestError } from '@prisma/client/runtime/client'

type Adapter = Awaited<ReturnType<PlainPrismaPg['connect']>>
type Transaction = Awaited<ReturnType<Adapter['startTransaction']>>

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
 * - P1017, P1008: the connection was lost during COMMIT or ROLLBACK. For queries Prisma does this itself; the error of a transaction's
 *   end it passes on as its adapter has thrown it, without a code.
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
  const startTransaction = translating(adapter.startTransaction)
  adapter.startTransaction = async (...args) => {
    const transaction = await startTransaction(...args)
    translateErrorsOfEnd(transaction)
    return transaction
  }
}

/** Code and text as Prisma has them for queries. */
const CLOSED = ['P1017', 'Server has closed the connection.'] as const
const TIMED_OUT = ['P1008', 'Operation has timed out'] as const

/** By the kinds of Prisma's adapter, which translates errors of sockets. */
const LOST_CONNECTIONS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  ConnectionClosed: CLOSED,
  SocketTimeout: TIMED_OUT,
}

/** SQLSTATEs of a lost connection, a terminated session, and the timeouts that end a session: Prisma's adapter passes these on. */
const SESSION_ENDED = /^(?:08|57P|25P0[34])/

const OUTCOMES: Readonly<Record<string, string>> = {
  COMMIT: 'The connection was lost during COMMIT: the transaction may or may not have been committed.',
  ROLLBACK: 'The connection was lost during ROLLBACK: the server rolls the transaction back.',
}

function translateErrorsOfEnd(transaction: Transaction): void {
  const { executeRaw } = transaction
  transaction.executeRaw = async (query) => {
    try {
      return await executeRaw.call(transaction, query)
    } catch (error) {
      throw lostConnection(error, OUTCOMES[query.sql]) ?? error
    }
  }
}

function lostConnection(error: unknown, outcome: string | undefined): Error | undefined {
  if (outcome === undefined) return undefined
  const { code = '', cause } = (error ?? {}) as { readonly code?: string; readonly cause?: { readonly kind?: string } }
  const lost = LOST_CONNECTIONS[cause?.kind ?? ''] ?? (SESSION_ENDED.test(code) ? CLOSED : undefined)
  if (!lost) return undefined
  const [prismaCode, message] = lost
  return knownRequestError(`${message}\n${outcome}`, prismaCode, { driverAdapterError: error }, error as Error)
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
