import { runInLane, runWithDeadline, runWithLabel } from '@poolguard/core'
import { listPools, requireLaneName } from '@poolguard/core/adapter'
import { requireRouteDeadline } from '@poolguard/core/web'
import { LoadShedder } from './load-shedder.ts'
import type { RequestSettings } from './request-options.ts'
import { type LoadShedError, type ServiceUnavailableError, toUnavailable } from './unavailable-error.ts'

/** Options of a route, as in the other frameworks. */
export interface RouteOptions {
  /** The label of its requests, one of a few: `GET /orders/:id`, never a path. Default: what the framework knows of the route. */
  readonly label?: string
  /** Milliseconds after which its statements are cancelled. False: never cancel them. Default: when the client disconnects. */
  readonly deadline?: number | false
  /** False: always serve it, however many callers wait. */
  readonly shedLoad?: boolean
  /** The lane in which its handler acquires connections (option `lanes` of a pool). Default: `default`. */
  readonly lane?: string
}

/** One request, as a framework describes it. */
export interface GuardedRequest {
  /** Asked when a connection is acquired, because Express and Koa find the route only after their first middleware has run. */
  readonly label: () => string | undefined
  /** Runs a callback until the client disconnects, or until the time of the route has passed. */
  readonly runInTime: <T>(limitMillis: number | undefined, callback: () => T) => T
}

/** What is done around each of the app's own requests. */
export class RequestGuard {
  readonly #settings: RequestSettings
  readonly #shedder: LoadShedder | undefined

  constructor(settings: RequestSettings) {
    this.#settings = settings
    this.#shedder = settings.shedLoad && new LoadShedder(listPools, settings.shedLoad)
  }

  /** The error of a request that is rejected; undefined if it should be served. */
  reject({ shedLoad, lane }: RouteOptions): LoadShedError | undefined {
    return shedLoad === false ? undefined : this.#shedder?.reject(lane)
  }

  /** Runs the rest of a request in its lane, under its label and its deadline. */
  run<T>(request: GuardedRequest, { label, deadline, lane }: RouteOptions, rest: () => T): T {
    const { labels, deadlines } = this.#settings
    const inLane = lane === undefined ? rest : () => runInLane(lane, rest)
    const labelled = labels ? () => runWithLabel(label ?? request.label, inLane) : inLane
    if (!deadlines) return labelled()
    // Also without the deadline of an outer middleware.
    return deadline === false ? runWithDeadline(Infinity, labelled) : request.runInTime(deadline, labelled)
  }

  /** The error for the client of a failed request; undefined if the error is not about a connection, or errors are not mapped. */
  unavailable(error: unknown): ServiceUnavailableError | undefined {
    const { mapErrors, shedLoad } = this.#settings
    return mapErrors ? toUnavailable(error, shedLoad?.retryAfterSeconds) : undefined
  }
}

/** @throws {InvalidOptionError} for an invalid deadline or lane. */
export function requireRoute(route: RouteOptions): RouteOptions {
  requireRouteDeadline('deadline', route.deadline)
  if (route.lane !== undefined) requireLaneName('lane', route.lane)
  return route
}
