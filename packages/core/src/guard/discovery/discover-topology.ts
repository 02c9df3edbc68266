import type { Capacity } from '../../budget/index.ts'
import { abortAfter } from '../../clock.ts'
import type { Lease, Pool } from '../../pool/index.ts'
import { detectTopology, type ProbeSession, type ProbeSource, type Topology } from '../../topology/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'

/** Bound on the detection, once there is a connection. */
const DETECTION_MILLIS = 2_000
/** How long the detection waits for its first connection; callers go before it. */
const FIRST_MILLIS = 10_000

/** What a pool has found out about its other end. */
export interface Survey {
  /** Whose verdict it is. */
  readonly peer: string | undefined
  readonly topology: Topology
  /** Undefined where the database did not tell in time, or told what cannot be. */
  readonly capacity: Capacity | undefined
  /** What is wrong with the capacity that the database has told; undefined where nothing is. */
  readonly capacityProblem: string | undefined
}

/**
 * Finds out the mode of a pooler, with two connections of the pool that no caller has.
 *
 * @param first whether it goes before the callers that wait.
 * @returns undefined where no connection came free in time.
 */
export async function detectPooler<C>(
  pool: Pool<C>,
  driver: GuardedDriver<C>,
  { first }: { readonly first: boolean },
): Promise<Topology | undefined> {
  const lease = await borrow(pool, FIRST_MILLIS, first)
  if (!lease) return undefined
  return detectTopology(new PoolProbeSource(pool, driver, lease, first), { timeoutMillis: DETECTION_MILLIS })
}

/** A connection that does not come free in time is no timeout of the pool's. */
function borrow<C>(pool: Pool<C>, millis: number, first: boolean): Promise<Lease<C> | undefined> {
  const signal = abortAfter(millis)
  return pool.acquire({ internal: first ? 'first' : 'queued', timeoutMillis: Infinity, signal }).catch(() => undefined)
}

/** Hands out the lease that the detection has already, and then one more where the pool may have two. */
class PoolProbeSource<C> implements ProbeSource {
  readonly #pool: Pool<C>
  readonly #driver: GuardedDriver<C>
  readonly #goesFirst: boolean
  readonly #leases = new Map<ProbeSession, Lease<C>>()
  #first: Lease<C> | undefined

  constructor(pool: Pool<C>, driver: GuardedDriver<C>, first: Lease<C>, goesFirst: boolean) {
    this.#pool = pool
    this.#driver = driver
    this.#first = first
    this.#goesFirst = goesFirst
  }

  async open(): Promise<ProbeSession | undefined> {
    const first = this.#first
    this.#first = undefined
    if (first) return first.active ? this.#lend(first) : undefined
    if (this.#pool.settings.max < 2) return undefined
    const second = await borrow(this.#pool, DETECTION_MILLIS / 2, this.#goesFirst)
    return second && this.#lend(second)
  }

  done(session: ProbeSession, { abandon }: { readonly abandon: boolean }): void {
    const lease = this.#leases.get(session)
    if (abandon) lease?.destroy()
    else lease?.release()
  }

  #lend(lease: Lease<C>): ProbeSession {
    const session = this.#driver.probe(lease.resource)
    this.#leases.set(session, lease)
    return session
  }
}
