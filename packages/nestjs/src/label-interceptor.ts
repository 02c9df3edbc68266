import type { CallHandler, ExecutionContext, NestInterceptor } from '@nestjs/common'
import { runWithLabel } from '@poolguard/core'
import { Observable } from 'rxjs'

/** The fields that Express and Fastify set on a request after routing. */
interface RoutedRequest {
  readonly method: string
  /** Express. */
  readonly route?: { readonly path?: unknown }
  /** Fastify. */
  readonly routeOptions?: { readonly url?: string }
}

/**
 * Runs handlers under the label of their route, so that pools measure wait times by route. Guards and middleware run before
 * interceptors, so they have no label.
 */
export class LabelInterceptor implements NestInterceptor {
  /** Calls the handler and subscribes to its result under the label. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const label = labelOf(context)
    return new Observable((subscriber) => runWithLabel(label, () => next.handle().subscribe(subscriber)))
  }
}

/** The pattern of the route, never the path, to keep the number of labels small; the handler's name for RPC and GraphQL. */
function labelOf(context: ExecutionContext): string {
  const route = context.getType() === 'http' ? routeOf(context.switchToHttp().getRequest()) : undefined
  return route ?? `${context.getClass().name}.${context.getHandler().name}`
}

function routeOf({ method, route, routeOptions }: RoutedRequest): string | undefined {
  const pattern = routeOptions?.url ?? route?.path
  return typeof pattern === 'string' ? `${method} ${pattern}` : undefined
}
