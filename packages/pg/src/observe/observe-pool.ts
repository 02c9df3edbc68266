import type { Health, PoolEventListener, PoolSettings, PoolSnapshot, PoolStats } from '@poolguard/core'
import {
  type AcquireRequest,
  classifyConnectFailure,
  DurationHistogram,
  NO_OVERLOADS,
  ObservedLeases,
  registerObservation,
} from '@poolguard/core/adapter'
import type { Pool, PoolClient } from 'pg'
import { ClientActivity } from '../connection/client-activity.ts'
import { readConfig } from '../guarded-pool-config.ts'
import type { WireClient } from '../wire-client.ts'

export interface ObserveOptions
  extends Partial<Pick<PoolSettings, 'leakThresholdMillis' | 'longQueryMillis' | 'captureStacks'>> {
  /** Default: the database's name. */
  readonly name?: string
  /** Called for suspected leaks and long queries. */
  readonly onEvent?: PoolEventListener
}

/** The observation of an existing pg.Pool. */
export interface PoolObservation {
  snapshot(): PoolSnapshot
  /** Health since the observation began. */
  health(): Health
  /** Ends the observation and restores the pool. */
  stop(): void
}

type Connect = (callback?: (error: Error | undefined, client?: PoolClient, release?: () => void) => void) => unknown

/**
 * Observes a pg.Pool that you do not want to replace: counts, wait times, usage times and leaks. The pool's behaviour does not change.
 *
 * @example
 * const observation = observe(pool, { leakThresholdMillis: 30_000, onEvent: (event) => logger.warn(event) })
 * observation.snapshot().stats.waiting
 */
export function observe(pool: Pool, options: ObserveOptions = {}): PoolObservation {
  const { leakThresholdMillis, longQueryMillis, captureStacks, onEvent } = options
  const { name, target } = readConfig({ ...pool.options, ...(options.name !== undefined && { name: options.name }) })
  const clients = new WeakMap<PoolClient, ClientActivity>()
  const leases = new ObservedLeases<PoolClient>({
    name,
    max: () => pool.options.max,
    settings: { leakThresholdMillis, longQueryMillis, captureStacks },
    probe: {
      activityOf: (client) => clients.get(client)?.latest ?? 0,
      runningQueryOf: (client) => clients.get(client)?.runningQuery,
      isListening: (client) => clients.get(client)?.listening.listening ?? false,
    },
    onEvent,
  })
  const counts = { opened: 0, closed: 0, timeouts: 0, connectFailures: { full: 0, unavailable: 0, permanent: 0 } }
  const countFailure = (error: unknown) => {
    if (isTimeout(error)) counts.timeouts++
    else counts.connectFailures[classifyConnectFailure(error)]++
  }
  const listeners = {
    connect: (client: PoolClient) => {
      counts.opened++
      clients.set(client, new ClientActivity(client as unknown as WireClient))
    },
    remove: (client: PoolClient) => {
      counts.closed++
      leases.end(client)
    },
    release: (_error: Error, client: PoolClient) => {
      clients.get(client)?.listening.reset()
      leases.end(client)
    },
  }
  const unhook = hookConnect(pool, leases, countFailure)
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

/** Wraps `connect`, which every checkout calls, pool.query's too. Other libraries may wrap it as well and unwrap it in any order. */
function hookConnect(pool: Pool, leases: ObservedLeases<PoolClient>, onFailure: (error: unknown) => void): () => void {
  const hooked = pool as unknown as { connect?: Connect }
  const own = Object.hasOwn(pool, 'connect')
  const original = pool.connect as Connect
  let stopped = false
  const onConnect = (request: AcquireRequest, error: unknown, client: PoolClient | undefined) => {
    if (client && !error) leases.begin(client, request)
    else onFailure(error)
  }
  const connect: Connect = (callback) => {
    if (stopped) return original.call(pool, callback)
    const request = leases.request(connect)
    if (!callback) {
      const found = original.call(pool) as Promise<PoolClient>
      found.then(
        (client) => onConnect(request, undefined, client),
        (error) => onConnect(request, error, undefined),
      )
      return found
    }
    return original.call(pool, (error, client, release) => {
      onConnect(request, error, client)
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

/** A pg.Pool does not expose how long connecting takes. */
const NO_CONNECT_TIMES = new DurationHistogram().read()

/** Recognizes pg-pool's acquire timeout by its message. */
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
    // pg-pool's totalCount includes clients that are being opened.
    connecting: Math.max(0, totalCount - idleCount - figures.active),
    waiting: waitingCount,
    ...figures,
    ...counts,
    connectFailures: { ...counts.connectFailures },
    // A pg.Pool has no such counts.
    ...{ validating: 0, closing: 0 },
    connect: NO_CONNECT_TIMES,
    saturated: 0,
    ...NO_OVERLOADS,
    deadlocks: 0,
  }
}
