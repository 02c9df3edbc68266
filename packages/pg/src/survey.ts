import {
  CAPACITY_QUERY,
  type Capacity,
  detectTopology,
  type Lease,
  type Pool,
  type ProbeSource,
  type Topology,
} from '@poolguard/core'
import type { PgConnection } from './pg-connection.ts'
import { PgProbeSession } from './pg-probe-session.ts'

/** Bound on the whole survey once it has its first connection. */
const SURVEY_MILLIS = 2_000

/** What a pool has found out about its other end. */
export interface Survey {
  readonly topology: Topology
  /** Undefined where the database did not tell in time. */
  readonly capacity: Capacity | undefined
}

/**
 * Looks at what is at the other end, with one connection of the pool's own, or two where it is a pooler. The capacity
 * comes first: whoever shares a budget is waiting for it.
 *
 * @throws what acquiring the first connection throws.
 */
export async function survey(pool: Pool<PgConnection>, known: Topology | undefined): Promise<Survey> {
  const first = await pool.acquire()
  const capacity = await readCapacity(first)
  if (known) {
    first.release()
    return { topology: known, capacity }
  }
  const topology = await detectTopology(new PoolProbeSource(pool, first), { timeoutMillis: SURVEY_MILLIS })
  return { topology, capacity }
}

/** Hands out the lease that the survey has already, and then one more where the pool may have two. */
class PoolProbeSource implements ProbeSource {
  readonly #pool: Pool<PgConnection>
  #first: Lease<PgConnection> | undefined

  constructor(pool: Pool<PgConnection>, first: Lease<PgConnection>) {
    this.#pool = pool
    this.#first = first
  }

  async open(): Promise<PgProbeSession | undefined> {
    const first = this.#first
    this.#first = undefined
    if (first) return first.held ? new PgProbeSession(first) : undefined
    if (this.#pool.settings.max < 2) return undefined
    const second = await this.#pool.acquire({ timeoutMillis: SURVEY_MILLIS / 2 }).catch(() => undefined)
    return second && new PgProbeSession(second)
  }
}

async function readCapacity({ resource }: Lease<PgConnection>): Promise<Capacity | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>()
  const timer = setTimeout(() => resolve(undefined), SURVEY_MILLIS / 2)
  const answer = resource.client.query<Capacity>(CAPACITY_QUERY).then(
    ({ rows }) => rows[0],
    () => undefined,
  )
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
