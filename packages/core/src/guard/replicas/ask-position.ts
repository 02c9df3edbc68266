import { type Clock, withTimeout } from '../../clock.ts'
import type { Lease } from '../../pool/index.ts'
import { isServerError } from '../../postgres-errors/index.ts'
import type { RoutedPool } from './replica-endpoint.ts'
import { POSITION_QUERY, readServerPosition, type ServerPosition, STANDBY_QUERY } from './server-position.ts'

/** A server that takes longer to answer is not used until it answers again. */
const ANSWER_TIMEOUT_MILLIS = 3_000

/**
 * Asks the server of a pool for its position, on a connection that no statistic counts.
 *
 * @returns undefined if no connection became free, because all are in use.
 * @throws the error of the server.
 */
export async function askServer<C extends object>(
  pool: RoutedPool<C>,
  clock: Clock,
): Promise<ServerPosition | undefined> {
  const lease = await acquire(pool)
  if (!lease) return undefined
  const answer = await askOn(pool, lease, clock)
  lease.release()
  return answer
}

async function acquire<C extends object>({ engine }: RoutedPool<C>): Promise<Lease<C> | undefined> {
  try {
    return await engine.acquire({ internal: 'first', timeoutMillis: engine.settings.connectTimeoutMillis })
  } catch (error) {
    const { active, max } = engine.counts
    if (active < max) throw error
    return undefined
  }
}

/**
 * Asks on a connection that has been acquired.
 *
 * @throws the error of the server or of the connection, which is then destroyed.
 */
export async function askOn<C extends object>(
  pool: RoutedPool<C>,
  lease: Lease<C>,
  clock: Clock,
): Promise<ServerPosition> {
  const late = () => new Error(`${pool.target} has not answered within ${ANSWER_TIMEOUT_MILLIS} ms`)
  try {
    return await withTimeout(position(pool, lease.resource), ANSWER_TIMEOUT_MILLIS, late, { clock, background: true })
  } catch (error) {
    lease.destroy()
    throw error
  }
}

async function position<C extends object>(pool: RoutedPool<C>, connection: C): Promise<ServerPosition> {
  const answer = await pool.queryValue(connection, POSITION_QUERY).catch((error: unknown) => {
    if (!isServerError(error)) throw error
    return pool.queryValue(connection, STANDBY_QUERY)
  })
  const read = readServerPosition(answer)
  if (!read) throw new Error(`${pool.target} gives no valid answer to the query for its position`)
  return read
}
