import type { Capacity } from '../../budget/index.ts'
import { abortAfter } from '../../clock.ts'
import type { Lease, Pool } from '../../pool/index.ts'
import { detectTopology, type ProbeSession, type ProbeSource, type Topology } from '../../topology/index.ts'
import type { GuardedDriver } from '../guarded-driver.ts'

/** Timeout of the detection, from its first connection on. */
const DETECTION_TIMEOUT_MILLIS = 2_000
/** How long the detection waits for its first connection; callers have priority. */
const FIRST_CONNECTION_TIMEOUT_MILLIS = 10_000

/** The result of discovery: the server or pooler, and its limits. */
export interface DiscoveryResult {
  /** Address, database and user of the server; see {@link GuardedDriver.peerOf}. */
  readonly peer: string | undefined
  readonly topology: Topology
  /** The version of the Pgpool-II in between, which looks like PostgreSQL. Looked for only if statements would share connections. */
  readonly pgpool: string | undefined
  /** Undefined if the database did not report its limits in time, or reported invalid ones. */
  readonly capacity: Capacity | undefined
  /** Why the reported limits are invalid; undefined if they are valid. */
  readonly capacityProblem: string | undefined
}

/**
 * Detects the mode of a pooler with two idle connections of the pool.
 *
 * @param first whether to acquire them ahead of waiting callers.
 * @returns undefined if no connection became available in time.
 */
export async function detectPooler<C>(
  pool: Pool<C>,
  driver: GuardedDriver<C>,
  { first }: { readonly first: boolean },
): Promise<Topology | undefined> {
  const lease = await acquireWithin(pool, FIRST_CONNECTION_TIMEOUT_MILLIS, first)
  if (!lease) return undefined
  return detectTopology(new PoolProbeSource(pool, driver, lease, first), { timeoutMillis: DETECTION_TIMEOUT_MILLIS })
}

/** Does not count as an acquire timeout of the pool. */
function acquireWithin<C>(pool: Pool<C>, millis: number, first: boolean): Promise<Lease<C> | undefined> {
  const signal = abortAfter(millis)
  return pool.acquire({ internal: first ? 'first' : 'queued', timeoutMillis: Infinity, signal }).catch(() => undefined)
}

/** Provides the first lease, and a second one if the pool's max allows it. */
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
    if (first) return first.active ? this.#openSession(first) : undefined
    if (this.#pool.settings.max < 2) return undefined
    const second = await acquireWithin(this.#pool, DETECTION_TIMEOUT_MILLIS / 2, this.#goesFirst)
    return second && this.#openSession(second)
  }

  done(session: ProbeSession, { abandon }: { readonly abandon: boolean }): void {
    const lease = this.#leases.get(session)
    if (abandon) lease?.destroy()
    else lease?.release()
  }

  #openSession(lease: Lease<C>): ProbeSession {
    const session = this.#driver.probe(lease.resource)
    this.#leases.set(session, lease)
    return session
  }
}
