import { type LoadedPool, LoadShedding, type ShedLoadOptions } from '@poolguard/core/web'
import { LoadShedError } from './unavailable-error.ts'

/** Decides which requests are rejected while the pools are overloaded. */
export class LoadShedder {
  readonly #shedding: LoadShedding
  /** One for each time to wait: capturing a stack per rejected request would cost time and add nothing. */
  readonly #errors = new Map<number, LoadShedError>()

  constructor(pools: () => Iterable<LoadedPool>, options: ShedLoadOptions) {
    this.#shedding = new LoadShedding(pools, options)
  }

  /**
   * The error of a request that is rejected, which this counts; undefined if the request should be served.
   *
   * @param lane the route's lane: in a pool with lanes, only the load of that lane counts. Default: the lane of the current call.
   */
  reject(lane?: string): LoadShedError | undefined {
    const seconds = this.#shedding.reject(lane)
    if (seconds === undefined) return undefined
    const error = this.#errors.get(seconds) ?? new LoadShedError(seconds)
    this.#errors.set(seconds, error)
    return error
  }
}
