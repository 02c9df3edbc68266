import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common'
import { runWithLabel } from '@poolguard/core'
import { Observable } from 'rxjs'

/** A request as Express and Fastify leave it once they have found its route. */
interface RoutedRequest {
  readonly method: string
  /** Express. */
  readonly route?: { readonly path?: unknown }
  /** Fastify. */
  readonly routeOptions?: { readonly url?: string }
}

/**
 * Runs handlers under a label, so that pools tell apart by route how long callers wait. Guards and middleware come before
 * interceptors, and so stay without one.
 */
export class LabelInterceptor implements NestInterceptor {
  /** The handler is called, and what it returns subscribed to, under the label. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const label = labelOf(context)
    return new Observable((subscriber) => runWithLabel(label, () => next.handle().subscribe(subscriber)))
  }
}

/** The pattern of the route, never a path, since there must be few of them; for RPC and GraphQL the handler's name. */
function labelOf(context: ExecutionContext): string {
  const route = context.getType() === 'http' ? routeOf(context.switchToHttp().getRequest()) : undefined
  return route ?? `${context.getClass().name}.${context.getHandler().name}`
}

function routeOf({ method, route, routeOptions }: RoutedRequest): string | undefined {
  const pattern = routeOptions?.url ?? route?.path
  return typeof pattern === 'string' ? `${method} ${pattern}` : undefined
}
