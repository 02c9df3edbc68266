import { InvalidOptionError, requireInteger } from '../invalid-option-error.ts'
import { currentLane, DEFAULT_LANE, type PoolCounts, type PoolStats } from '../pool/index.ts'
import { shedRequests } from './shed-requests.ts'

/** When an adapter of a framework rejects requests before their handlers run. */
export interface ShedLoadOptions {
  /**
   * Rejects new requests while more callers than this wait for a connection. Default: rejects them while a pool is overloaded, which
   * is while callers have been waiting without interruption for 100 ms, or for twice the usual duration of a checkout if that is longer.
   */
  readonly waiters?: number | undefined
  /** The value of the Retry-After header, in seconds. Default: as long as the overload has lasted, from 1 to 20. */
  readonly retryAfterSeconds?: number | undefined
}

/** A pool whose load decides. */
export interface LoadedPool {
  readonly counts?: PoolCounts | undefined
  snapshot(): { readonly stats: Pick<PoolStats, 'waiting' | 'connecting'> }
}

/**
 * Decides for each request whether it is rejected because of the load of the pools, and counts rejected requests.
 */
export class LoadShedding {
  readonly #pools: () => Iterable<LoadedPool>
  readonly #options: ShedLoadOptions
  readonly #shed = shedRequests()

  constructor(pools: () => Iterable<LoadedPool>, options: ShedLoadOptions) {
    this.#pools = pools
    this.#options = options
  }

  /**
   * Returns undefined if the request should be served; otherwise it counts the request and returns the value of Retry-After, in seconds.
   *
   * @param lane the request's lane: in a pool with lanes, only the load of that lane counts. Default: the lane of the current call.
   */
  reject(lane: string | undefined = currentLane()): number | undefined {
    const { waiters, retryAfterSeconds } = this.#options
    let waiting = 0
    let overload: number | undefined
    for (const pool of this.#pools()) {
      const counts = pool.counts && countsFor(pool.counts, lane)
      if (waiters !== undefined) waiting += waitingIn(counts ?? pool.snapshot().stats)
      if (counts?.overloaded) overload = Math.max(overload ?? 0, counts.retryAfterMillis)
    }
    if (waiters === undefined ? overload === undefined : waiting <= waiters) return undefined
    this.#shed.count++
    return retryAfterSeconds ?? Math.ceil((overload ?? 1_000) / 1_000)
  }
}

type Load = Pick<PoolCounts, 'waiting' | 'connecting' | 'overloaded' | 'retryAfterMillis'>

/** The counts of the lane, in a pool with lanes. A caller in a lane that the pool does not have is in the default one. */
function countsFor({ lanes, ...counts }: PoolCounts, lane: string = DEFAULT_LANE): Load {
  return lanes ? { ...counts, ...(lanes[lane] ?? lanes[DEFAULT_LANE]) } : counts
}

/** Callers for whom no connection is being opened. */
function waitingIn({ waiting, connecting }: Pick<Load, 'waiting' | 'connecting'>): number {
  return Math.max(0, waiting - connecting)
}

/**
 * Validates the option `shedLoad`; undefined means that no request is rejected.
 *
 * @throws {InvalidOptionError} names the option and the value.
 */
export function readShedLoad(value: unknown): ShedLoadOptions | undefined {
  if (value === undefined || value === false) return undefined
  if (value === true) return {}
  if (typeof value !== 'object' || value === null)
    throw new InvalidOptionError('shedLoad', value, 'true, false or { waiters: 50 }')
  const { waiters, retryAfterSeconds } = value as ShedLoadOptions
  if (waiters !== undefined) requireInteger('shedLoad.waiters', waiters, 0)
  // Retry-After is in whole seconds (https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3).
  if (retryAfterSeconds !== undefined) requireInteger('shedLoad.retryAfterSeconds', retryAfterSeconds, 0)
  return { waiters, retryAfterSeconds }
}
