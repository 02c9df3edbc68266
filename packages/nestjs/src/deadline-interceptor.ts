import {
  type CallHandler,
  type CustomDecorator,
  type ExecutionContext,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common'
import type { Reflector } from '@nestjs/core'
import { runWithDeadline } from '@poolguard/core'
import { requireRouteDeadline, responseDeadline } from '@poolguard/core/web'
import { Observable } from 'rxjs'

const DEADLINE = 'poolguard:deadline'

type RouteDeadline = number | false

/** The response of node:http, which Fastify's reply has as `raw`. */
type NodeResponse = Parameters<typeof responseDeadline>[0]
type PlatformResponse = NodeResponse & { readonly raw?: NodeResponse }

/**
 * Sets the time after which the statements of a handler, or of each handler of a controller, are cancelled. `false`: they are not even
 * cancelled when the client disconnects.
 *
 * @publicApi
 * @throws {InvalidOptionError} for anything but milliseconds and false.
 * @example
 * class Orders {
 *   @DatabaseDeadline(500)
 *   search() {}
 * }
 */
export function DatabaseDeadline(limit: RouteDeadline): CustomDecorator {
  requireRouteDeadline('DatabaseDeadline', limit)
  return SetMetadata(DEADLINE, limit)
}

/**
 * Runs handlers under a deadline: when the client disconnects, or the time of {@link DatabaseDeadline} has passed, the handler no longer
 * waits for a connection, its statement is cancelled, and its transaction is rolled back.
 */
export class DeadlineInterceptor implements NestInterceptor {
  readonly #reflector: Reflector

  constructor(reflector: Reflector) {
    this.#reflector = reflector
  }

  /** Calls the handler and subscribes to its result under the deadline. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const limit = this.#reflector.getAllAndOverride<RouteDeadline | undefined>(DEADLINE, [
      context.getHandler(),
      context.getClass(),
    ])
    // Messages and GraphQL operations have no response of their own.
    if (limit === false || context.getType() !== 'http') return next.handle()
    const response = context.switchToHttp().getResponse<PlatformResponse>()
    const { signal } = responseDeadline(response.raw ?? response, limit)
    return new Observable((subscriber) => runWithDeadline(signal, () => next.handle().subscribe(subscriber)))
  }
}
