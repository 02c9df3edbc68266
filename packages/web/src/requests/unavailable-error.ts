import { isPoolTimeout, PoolguardError, retryAfterMillis } from '@poolguard/core'

/** Replaces messages that name pools, addresses and figures. */
export const MESSAGE_FOR_CLIENTS = 'The service cannot reach its database in time. Try again later.'

/**
 * A request that cannot be served now, for its client: no connection was available in time. `cause` is the pool's error. Frameworks
 * that know http-errors, such as Express and Koa, reply with its `status` and `headers`.
 */
export class ServiceUnavailableError extends PoolguardError {
  static {
    ServiceUnavailableError.prototype.name = 'ServiceUnavailableError'
  }

  readonly code: string = 'POOLGUARD_UNAVAILABLE'
  /** The HTTP status of the reply. */
  readonly status = 503
  readonly statusCode = 503
  readonly headers: Readonly<Record<string, string>>
  /** Koa logs an error unless its message is for the client. */
  readonly expose: boolean

  constructor(message: string, retryAfterSeconds: number, options?: ErrorOptions) {
    super(message, options)
    this.headers = { 'retry-after': String(retryAfterSeconds) }
    this.expose = this.cause === undefined
    // Express and Koa log nothing but the stack.
    if (this.cause instanceof Error) this.stack = `${this.name}: ${message}\ncaused by ${this.cause.stack}`
  }
}

/** The database is overloaded, or too many callers wait for a connection: the request was rejected before its handler ran. */
export class LoadShedError extends ServiceUnavailableError {
  static {
    LoadShedError.prototype.name = 'LoadShedError'
  }

  override readonly code = 'POOLGUARD_LOAD_SHED'

  constructor(retryAfterSeconds: number) {
    super('Too many requests wait for the database. Try again later.', retryAfterSeconds)
  }
}

/** The body of a reply to a client: no names of pools, no figures. */
export function bodyOf({ code, message }: ServiceUnavailableError): object {
  return { statusCode: 503, code, error: 'Service Unavailable', message }
}

/**
 * The error for the client of a request that failed because no connection was available in time, whichever ORM passed the error on;
 * undefined for any other error, and for one with a status of its own, which was made for clients already.
 *
 * @param retryAfterSeconds default: what the pool's error says, else 1.
 */
export function toUnavailable(error: unknown, retryAfterSeconds?: number): ServiceUnavailableError | undefined {
  if (hasStatus(error) || !isPoolTimeout(error)) return undefined
  const seconds = retryAfterSeconds ?? Math.ceil((retryAfterMillis(error) ?? 1_000) / 1_000)
  return new ServiceUnavailableError(MESSAGE_FOR_CLIENTS, seconds, { cause: error })
}

/** Whether an error says itself which HTTP status it means. */
export function hasStatus(error: unknown): boolean {
  const { statusCode, status } = Object(error) as { readonly statusCode?: unknown; readonly status?: unknown }
  return statusCode !== undefined || status !== undefined
}
