import { isFullError } from './classify-connect-failure.ts'
import { MAX_MESSAGE_LENGTH } from './read-error.ts'

/** The fields in which errors of pools, drivers and ORMs have their code, message and cause. */
interface Shape {
  readonly code?: unknown
  /** Of PrismaClientInitializationError. */
  readonly errorCode?: unknown
  /** The server's code, in Prisma's driver adapters. */
  readonly originalCode?: unknown
  /** The server's message, in Prisma's driver adapters. */
  readonly originalMessage?: unknown
  readonly message?: unknown
  readonly cause?: unknown
  /** Of TypeORM's QueryFailedError. */
  readonly driverError?: unknown
  /** Of Prisma's errors with a code; with the Rust engine it contains the server's `code` and `message`. */
  readonly meta?: unknown
  readonly driverAdapterError?: unknown
  /** Of AggregateError. */
  readonly errors?: unknown
  /** Of poolguard's rejections. */
  readonly retryAfterMillis?: unknown
}

/** Codes of poolguard and of Prisma (https://www.prisma.io/docs/orm/reference/error-reference). */
const TIMEOUT_CODES: ReadonlySet<string> = new Set([
  'POOLGUARD_ACQUIRE_TIMEOUT',
  'POOLGUARD_SATURATED',
  'POOLGUARD_OVERLOADED',
  'POOLGUARD_DEADLINE',
  'P2024',
])

/**
 * The texts of, in this order: Prisma's Rust engine; pg-pool, which poolguard's messages contain too; PgBouncer, Supavisor,
 * RDS Proxy and Hyperdrive; and Prisma's P2028 for a transaction that timed out while it waited for its connection.
 */
const TIMEOUT_TEXT =
  /Timed out fetching a new connection from the connection pool|timeout exceeded when trying to connect|\bquery_wait_timeout\b|ECHECKOUTTIMEOUT|unable to check ?out connection from the pool|Timed-out waiting to acquire database connection|waiting for an open slot in the pool|Unable to start a transaction in the given time/

/** The text of AcquireTimeoutError for a full server, in case an ORM has dropped its cause. */
const FULL_TEXT = /The server has no connection left \(/

/**
 * Whether an error means that no connection became free in time, or that the time of `runWithDeadline` has passed: an error of poolguard,
 * pg-pool or PgBouncer, or one of these wrapped by Prisma, Drizzle or TypeORM. Respond with 503, and reduce the load.
 *
 * If the caller timed out because the server was full, {@link isTooManyConnections} is true as well.
 *
 * @example
 * app.setErrorHandler((error, _request, reply) => {
 *   if (isPoolTimeout(error)) return reply.code(503).header('retry-after', '1').send()
 *   throw error
 * })
 */
export function isPoolTimeout(error: unknown): boolean {
  return shapesOf(error).some((shape) => TIMEOUT_CODES.has(codeOf(shape)) || TIMEOUT_TEXT.test(messageOf(shape)))
}

/**
 * How long a caller should wait before it tries again, in milliseconds, if a saturated or overloaded pool has rejected it, also if an ORM
 * has wrapped the error; undefined for other errors.
 *
 * @example
 * const seconds = Math.ceil((retryAfterMillis(error) ?? 1_000) / 1_000)
 */
export function retryAfterMillis(error: unknown): number | undefined {
  for (const { retryAfterMillis } of shapesOf(error)) if (typeof retryAfterMillis === 'number') return retryAfterMillis
  return undefined
}

/**
 * Whether an error means that the server or the pooler has no connection left (SQLSTATE 53300, Prisma's P2037, PgBouncer's
 * `no more connections allowed`, Supavisor's `(EMAXCONN)`, Neon's `Too many connections attempts`...), also if an ORM has wrapped
 * it. Use fewer connections per instance.
 */
export function isTooManyConnections(error: unknown): boolean {
  return shapesOf(error).some((shape) => {
    const [code, message] = [codeOf(shape), messageOf(shape)]
    return code === 'P2037' || FULL_TEXT.test(message) || isFullError({ code, message })
  })
}

/** The error and all errors that it wraps, each once: a chain of causes may be circular. */
function shapesOf(error: unknown): readonly Shape[] {
  const found = new Set<Shape>()
  const waiting: unknown[] = [error]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null || found.has(next)) continue
    const shape: Shape = next
    found.add(shape)
    waiting.push(shape.cause, shape.driverError, shape.meta, shape.driverAdapterError)
    if (Array.isArray(shape.errors)) waiting.push(...shape.errors)
  }
  return [...found]
}

function codeOf({ code, errorCode, originalCode }: Shape): string {
  return firstText(code, errorCode, originalCode)
}

function messageOf({ message, originalMessage }: Shape): string {
  return firstText(message, originalMessage)
}

/** Of limited length, since a message may contain the text of a query. */
function firstText(...values: readonly unknown[]): string {
  return values.find((value) => typeof value === 'string')?.slice(0, MAX_MESSAGE_LENGTH) ?? ''
}
