import { CAPACITY_QUERY, type Capacity } from '../budget/index.ts'
import { inTime } from '../clock.ts'
import type { Lease, Pool } from '../pool/index.ts'
import {
  detectTopology,
  forgetTopology,
  type ProbeSession,
  type ProbeSource,
  recallTopology,
  rememberTopology,
  type Topology,
} from '../topology/index.ts'
import type { GuardedDriver } from './guarded-driver.ts'

/** Bound on the detection, once there is a connection; reading the capacity before that has half as long. */
const SURVEY_MILLIS = 2_000

/** What a pool has found out about its other end. */
export interface Survey {
  /** Whose verdict it is. */
  readonly peer: string | undefined
  readonly topology: Topology
  /** Undefined where the database did not tell in time. */
  readonly capacity: Capacity | undefined
}

export interface SurveyOptions {
  /** What the user has said is at the other end. */
  readonly given: Topology | undefined
  /** Look again, whatever another pool of this process has found. */
  readonly afresh: boolean
}

/**
 * Looks at what is at the other end, with one connection of the pool's own, or two where it is a pooler. The capacity
 * comes first: whoever shares a budget is waiting for it.
 *
 * @throws what acquiring the first connection throws.
 */
export async function survey<C>(
  pool: Pool<C>,
  driver: GuardedDriver<C>,
  { given, afresh }: SurveyOptions,
): Promise<Survey> {
  const first = await pool.acquire({ own: true })
  const peer = driver.peerOf(first.resource)
  // Whoever cannot read the capacity can still borrow.
  const capacity = await inTime(
    readCapacity(driver, first.resource),
    SURVEY_MILLIS / 2,
    () => new Error('the database did not tell its capacity in time'),
  ).catch(() => undefined)
  if (afresh && peer !== undefined) forgetTopology(peer)
  const known = given ?? (peer === undefined ? undefined : recallTopology(peer))
  if (known) {
    first.release()
    return { peer, topology: known, capacity }
  }
  const topology = await detectTopology(new PoolProbeSource(pool, driver, first), { timeoutMillis: SURVEY_MILLIS })
  if (peer !== undefined) rememberTopology(peer, topology)
  return { peer, topology, capacity }
}

/** As one text, which no parser or transform of the user's can change. */
async function readCapacity<C>(driver: GuardedDriver<C>, connection: C): Promise<Capacity | undefined> {
  const text = await driver.ask(
    connection,
    `select pg_catalog.row_to_json(capacity)::pg_catalog.text from (${CAPACITY_QUERY}) capacity`,
  )
  return text ? (JSON.parse(text) as Capacity) : undefined
}

/** Hands out the lease that the survey has already, and then one more where the pool may have two. */
class PoolProbeSource<C> implements ProbeSource {
  readonly #pool: Pool<C>
  readonly #driver: GuardedDriver<C>
  #first: Lease<C> | undefined

  constructor(pool: Pool<C>, driver: GuardedDriver<C>, first: Lease<C>) {
    this.#pool = pool
    this.#driver = driver
    this.#first = first
  }

  async open(): Promise<ProbeSession | undefined> {
    const first = this.#first
    this.#first = undefined
    if (first) return first.held ? this.#driver.probe(first) : undefined
    if (this.#pool.settings.max < 2) return undefined
    const second = await this.#pool.acquire({ own: true, timeoutMillis: SURVEY_MILLIS / 2 }).catch(() => undefined)
    return second && this.#driver.probe(second)
  }
}
