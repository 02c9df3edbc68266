import {
  type CallHandler,
  type CustomDecorator,
  type ExecutionContext,
  type NestInterceptor,
  SetMetadata,
} from '@nestjs/common'
import type { Reflector } from '@nestjs/core'
import { runInLane } from '@poolguard/core'
import { requireLaneName } from '@poolguard/core/adapter'
import { Observable } from 'rxjs'

const LANE = 'poolguard:lane'

/**
 * Sets the lane in which a handler, or each handler of a controller, acquires connections (option `lanes` of a pool).
 *
 * @publicApi
 * @throws {InvalidOptionError} for a name that no lane can have.
 * @example
 * class Reports {
 *   @DatabaseLane('reports')
 *   yearly() {}
 * }
 */
export function DatabaseLane(lane: string): CustomDecorator {
  requireLaneName('DatabaseLane', lane)
  return SetMetadata(LANE, lane)
}

/** The lane of a handler, or that of its controller. */
export function laneOf(reflector: Reflector, context: ExecutionContext): string | undefined {
  return reflector.getAllAndOverride<string | undefined>(LANE, [context.getHandler(), context.getClass()])
}

/** Runs handlers in the lane of {@link DatabaseLane}. */
export class LaneInterceptor implements NestInterceptor {
  readonly #reflector: Reflector

  constructor(reflector: Reflector) {
    this.#reflector = reflector
  }

  /** Calls the handler and subscribes to its result in the lane. */
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const lane = laneOf(this.#reflector, context)
    if (lane === undefined) return next.handle()
    return new Observable((subscriber) => runInLane(lane, () => next.handle().subscribe(subscriber)))
  }
}
