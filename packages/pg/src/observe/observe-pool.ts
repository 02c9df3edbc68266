import type { Health, PoolEventListener, PoolSettings, PoolSnapshot, PoolStats } from '@poolguard/core'
import {
  type AcquireRequest,
  DurationHistogram,
  ObservedLeases,
  registerObservation,
  SessionHealth,
  SharedHealth,
} from '@poolguard/core/adapter'
import { classifyConnectFailure } from '@poolguard/core/postgres'
import type { Pool, PoolClient } from 'pg'
import { PgConnection } from '../connection/pg-connection.ts'
import { readConfig } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'

export interface ObserveOptions
  extends Partial<Pick<PoolSettings, 'leakThresholdMillis' | 'longQueryMillis' | 'captureStacks'>> {
  /** Default: the database's name. */
  readonly name?: string
  /** Told of suspected leaks and of long queries. */
  readonly onEvent?: PoolEventListener
}

/** An existing pg.Pool under observation. */
export interface PoolObservation {
  snapshot(): PoolSnapshot
  /** By all that happened since it is observed. */
  health(): Health
  /** Leaves the pool as it was. */
  stop(): void
}

type Connect = (callback?: (error: Error | undefined, client?: PoolClient, release?: () => void) => void) => unknown

/**
 * Watches a pg.Pool that someone does not want to replace: its figures, how long callers wait and hold, and leaks. It changes
 * nothing in what the pool does.
 *
 * @example
 * const observation = observe(pool, { leakThresholdMillis: 30_000, onEvent: (event) => logger.warn(event) })
 * observation.snapshot().stats.waiting
 */
export function observe(pool: Pool, options: ObserveOptions = {}): PoolObservation {
  const { leakThresholdMillis, longQueryMillis, captureStacks, onEvent } = options
  const { name, target } = readConfig({ ...pool.options, ...(options.name !== undefined && { name: options.name }) })
  const connections = new WeakMap<PoolClient, PgConnection>()
  const leases = new ObservedLeases<PoolClient>({
    name,
    max: () => pool.options.max,
    settings: { leakThresholdMillis, longQueryMillis, captureStacks },
    probe: {
      activityOf: (client) => connections.get(client)?.activity ?? 0,
      runningQueryOf: (client) => connections.get(client)?.runningQuery,
      isListening: (client) => connections.get(client)?.listening.listening ?? false,
    },
    onEvent,
  })
  const counts = { opened: 0, closed: 0, timeouts: 0, connectFailures: { full: 0, unavailable: 0, permanent: 0 } }
  const failed = (error: unknown) => {
    if (isTimeout(error)) counts.timeouts++
    else counts.connectFailures[classifyConnectFailure(error)]++
  }
  // Nothing is evicted here.
  const health = new SharedHealth()
  const listeners = {
    connect: (client: PoolClient) => {
      counts.opened++
      connections.set(
        client,
        new PgConnection(client as unknown as WireClient, new SessionHealth(health, performance.now()), false),
      )
    },
    remove: (client: PoolClient) => {
      counts.closed++
      leases.end(client)
    },
    release: (_error: Error, client: PoolClient) => {
      connections.get(client)?.listening.reset()
      leases.end(client)
    },
  }
  const unhook = hookConnect(pool, leases, failed)
  for (const [event, listener] of Object.entries(listeners)) pool.on(event as 'connect', listener as never)
  const observation = registerObservation({ name, target, stats: () => readStats(pool, leases, counts) })
  return {
    ...observation,
    stop() {
      unhook()
      for (const [event, listener] of Object.entries(listeners)) pool.off(event, listener as never)
      leases.stop()
      observation.stop()
    },
  }
}

/**
 * Every checkout goes through `connect`, pool.query's too. Others may put themselves before it as well, and be gone before or
 * after.
 */
function hookConnect(pool: Pool, leases: ObservedLeases<PoolClient>, failed: (error: unknown) => void): () => void {
  const hooked = pool as unknown as { connect?: Connect }
  const own = Object.hasOwn(pool, 'connect')
  const original = pool.connect as Connect
  let stopped = false
  const settle = (request: AcquireRequest, error: unknown, client: PoolClient | undefined) => {
    if (client && !error) leases.begin(client, request)
    else failed(error)
  }
  const connect: Connect = (callback) => {
    if (stopped) return original.call(pool, callback)
    const request = leases.request(connect)
    if (!callback) {
      const found = original.call(pool) as Promise<PoolClient>
      found.then(
        (client) => settle(request, undefined, client),
        (error) => settle(request, error, undefined),
      )
      return found
    }
    return original.call(pool, (error, client, release) => {
      settle(request, error, client)
      callback(error, client, release)
    })
  }
  hooked.connect = connect
  return () => {
    stopped = true
    if (hooked.connect !== connect) return
    if (own) hooked.connect = original
    else delete hooked.connect
  }
}

/** How long opening takes, a pg.Pool tells nobody. */
const NEVER_MEASURED = new DurationHistogram().read()

/** pg-pool's own words for a caller who waited too long for a client. */
function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.message === 'timeout exceeded when trying to connect'
}

function readStats(
  pool: Pool,
  leases: ObservedLeases<PoolClient>,
  counts: Pick<PoolStats, 'opened' | 'closed' | 'timeouts' | 'connectFailures'>,
): PoolStats {
  const { totalCount, idleCount, waitingCount } = pool
  const figures = leases.stats()
  return {
    min: pool.options.min ?? 0,
    total: totalCount,
    idle: idleCount,
    // pg-pool counts those it is opening among its clients.
    connecting: Math.max(0, totalCount - idleCount - figures.active),
    waiting: waitingCount,
    ...figures,
    ...counts,
    connectFailures: { ...counts.connectFailures },
    // Of these a pg.Pool knows nothing.
    ...{ validating: 0, closing: 0 },
    connect: NEVER_MEASURED,
    saturated: 0,
    deadlocks: 0,
  }
}
