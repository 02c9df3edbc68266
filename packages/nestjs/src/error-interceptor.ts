import {
  type CallHandler,
  type ExecutionContext,
  Logger,
  type NestInterceptor,
  ServiceUnavailableException,
} from '@nestjs/common'
import { bodyOf, toUnavailable } from '@poolguard/web/adapter'
import { catchError, type Observable } from 'rxjs'

/** The method that Express and Fastify responses share. */
interface PlatformResponse {
  header(name: string, value: string): unknown
}

/**
 * Replaces the error of a handler that got no connection in time with a ServiceUnavailableException, whichever ORM passed the error on:
 * the reply is 503 with Retry-After. The exception's `cause` is the original error, which is also logged, as Nest logs no HTTP exceptions.
 */
export class ErrorInterceptor implements NestInterceptor {
  readonly #logger = new Logger('Poolguard')
  readonly #retryAfterSeconds: number | undefined

  /** @param retryAfterSeconds default: what the pool's error says, else 1. */
  constructor(retryAfterSeconds: number | undefined) {
    this.#retryAfterSeconds = retryAfterSeconds
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    if (context.getType() !== 'http') return next.handle()
    return next.handle().pipe(
      catchError((error: unknown) => {
        const unavailable = toUnavailable(error, this.#retryAfterSeconds)
        if (!unavailable) throw error
        this.#logger.error(error)
        const response = context.switchToHttp().getResponse<PlatformResponse>()
        for (const [name, value] of Object.entries(unavailable.headers)) response.header(name, value)
        throw new ServiceUnavailableException(bodyOf(unavailable), { cause: error })
      }),
    )
  }
}
