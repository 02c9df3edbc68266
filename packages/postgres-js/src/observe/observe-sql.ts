import type { Health, PoolEventListener, PoolSettings, PoolSnapshot } from '@poolguard/core'
import {
  ConnectionString,
  classifyConnectFailure,
  describeAddress,
  InvalidOptionError,
  ObservedLeases,
  registerObservation,
} from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { canHookHandle, opensTransaction, parsedOptionsOf } from '../internals.ts'
import { countInFlight } from './count-in-flight.ts'
import { ObservedLease } from './observed-lease.ts'
import { SqlStats } from './sql-stats.ts'
import { watchHolders } from './watch-holders.ts'
import { type QueryWatcher, watchQueries } from './watch-queries.ts'

export interface ObserveOptions
  extends Partial<Pick<PoolSettings, 'leakThresholdMillis' | 'longQueryMillis' | 'captureStacks'>> {
  /** Default: the database's name. */
  readonly name?: string
  /** Called for suspected leaks and long queries. */
  readonly onEvent?: PoolEventListener
}

/** The observation of an existing postgres() instance. */
export interface SqlObservation {
  /**
   * The level of detail. `in-flight` if this version of postgres.js lacks the internals for `full`: then the observation only counts
   * the awaited queries of all instances, whether the server is running them or not.
   */
  readonly detail: 'full' | 'in-flight'
  snapshot(): PoolSnapshot
  /** Health since the observation began. */
  health(): Health
  /** Ends the observation and restores the instance. */
  stop(): void
}

/** An instance can be observed only once, because a query reports to one observer. */
const observed = new WeakSet<Sql>()

/**
 * Observes a postgres() instance that you do not want to replace: running queries, connections held by transactions and `reserve()`,
 * wait times (also in a pipeline) and leaks. The instance's behaviour does not change.
 *
 * @throws {InvalidOptionError} if the instance is observed already.
 * @example
 * const observation = observe(sql, { leakThresholdMillis: 30_000, onEvent: (event) => logger.warn(event) })
 * observation.snapshot().stats.waiting
 */
export function observe(sql: Sql, options: ObserveOptions = {}): SqlObservation {
  const { leakThresholdMillis, longQueryMillis, captureStacks, onEvent } = options
  const { host, port, database, user } = parsedOptionsOf(sql)
  const hosts = host.map((name, index) => ({ host: name, port: port[index] ?? 5432 }))
  const name = options.name ?? database
  if (observed.has(sql))
    throw new InvalidOptionError(
      'sql',
      name,
      'an instance that is not observed yet; call stop() on its observation first',
    )
  const leases = new ObservedLeases<ObservedLease>({
    name,
    max: () => sql.options.max,
    settings: { leakThresholdMillis, longQueryMillis, captureStacks },
    probe: {
      activityOf: (lease) => lease.activity,
      runningQueryOf: (lease) => lease.runningQuery,
      isListening: (lease) => lease.listening,
    },
    onEvent,
  })
  const sqlStats = new SqlStats(sql, leases)
  const detail = canHookHandle(sql) ? 'full' : 'in-flight'
  const unhook =
    detail === 'full'
      ? [watchQueries(sql, queryWatcher(leases, sqlStats)), watchHolders(sql, leases, sqlStats)]
      : [countInFlight(sql, leases)]
  const observation = registerObservation({
    name,
    target: describeAddress(new ConnectionString({ hosts, database, user })),
    stats: () => sqlStats.stats(),
  })
  observed.add(sql)
  return {
    ...observation,
    detail,
    stop() {
      observed.delete(sql)
      for (const remove of unhook) remove()
      sqlStats.stop()
      observation.stop()
    },
  }
}

/** Counts a query as waiting until the server starts it. */
function queryWatcher(leases: ObservedLeases<ObservedLease>, sqlStats: SqlStats): QueryWatcher {
  return {
    onHandle(query, below) {
      // The BEGIN of `begin()` is not counted: watchHolders counts the whole transaction.
      if (opensTransaction(query)) return undefined
      const request = leases.request(below)
      const lease = new ObservedLease()
      const { ended } = lease.begin(query)
      let isWaiting = true
      const endWait = () => {
        if (isWaiting) sqlStats.waiting--
        isWaiting = false
      }
      sqlStats.waiting++
      return {
        onStarted() {
          endWait()
          sqlStats.onBackendSeen(query.state)
          leases.begin(lease, request)
        },
        onEnded(error) {
          if (isWaiting && error !== undefined) sqlStats.onFailure(classifyConnectFailure(error), error)
          endWait()
          ended()
          leases.end(lease)
        },
      }
    },
  }
}
