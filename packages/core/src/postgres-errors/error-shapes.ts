import { isFullError } from './classify-connect-failure.ts'
import { MAX_MESSAGE_LENGTH } from './read-error.ts'

/** What errors of pools, drivers and ORMs say of themselves, under whichever name. */
interface Shape {
  readonly code?: unknown
  /** PrismaClientInitializationError's. */
  readonly errorCode?: unknown
  /** What the server said, in Prisma's driver adapters. */
  readonly originalCode?: unknown
  readonly originalMessage?: unknown
  readonly message?: unknown
  readonly cause?: unknown
  /** TypeORM's QueryFailedError. */
  readonly driverError?: unknown
  /** Prisma's errors with a code; from the Rust engine it holds the server's `code` and `message`. */
  readonly meta?: unknown
  readonly driverAdapterError?: unknown
  /** AggregateError's. */
  readonly errors?: unknown
}

/** poolguard's own, and Prisma's (https://www.prisma.io/docs/orm/reference/error-reference). */
const TIMEOUT_CODES: ReadonlySet<string> = new Set(['POOLGUARD_ACQUIRE_TIMEOUT', 'POOLGUARD_SATURATED', 'P2024'])

/**
 * In this order: the Rust engine's of Prisma; pg-pool's, which poolguard's own messages contain, too; PgBouncer's,
 * Supavisor's, RDS Proxy's and Hyperdrive's; and Prisma's P2028 for a transaction that waited in vain for its connection.
 */
const TIMEOUT_TEXT =
  /Timed out fetching a new connection from the connection pool|timeout exceeded when trying to connect|\bquery_wait_timeout\b|ECHECKOUTTIMEOUT|unable to check ?out connection from the pool|Timed-out waiting to acquire database connection|waiting for an open slot in the pool|Unable to start a transaction in the given time/

/** What AcquireTimeoutError says of a full server, where an ORM has dropped its cause. */
const FULL_TEXT = /The server has no connection left \(/

/**
 * Whether an error means that no connection came free in time, in whichever shape it reaches the app: poolguard's own,
 * pg-pool's, PgBouncer's, or any of these wrapped by Prisma, Drizzle or TypeORM. The answer to it is 503, and less load.
 *
 * One that waited in vain because the server was full is {@link isTooManyConnections} as well.
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
 * Whether an error means that the server or the pooler has no connection left (SQLSTATE 53300, Prisma's P2037, PgBouncer's
 * `no more connections allowed`, Supavisor's `(EMAXCONN)`, Neon's `Too many connections attempts`...), in whichever shape it reaches the app. The answer to it is fewer connections for each
 * instance.
 */
export function isTooManyConnections(error: unknown): boolean {
  return shapesOf(error).some((shape) => {
    const [code, message] = [codeOf(shape), messageOf(shape)]
    return code === 'P2037' || FULL_TEXT.test(message) || isFullError({ code, message })
  })
}

/** The error and all that it wraps, each once: a chain of causes may be a circle. */
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

/** Bounded: a query's text may be part of a message. */
function firstText(...values: readonly unknown[]): string {
  return values.find((value) => typeof value === 'string')?.slice(0, MAX_MESSAGE_LENGTH) ?? ''
}
