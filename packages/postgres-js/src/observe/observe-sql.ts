import {
  type Health,
  InvalidOptionError,
  type PoolEventListener,
  type PoolSettings,
  type PoolSnapshot,
} from '@poolguard/core'
import { ObservedLeases, registerObservation } from '@poolguard/core/adapter'
import { ConnectionString, classifyConnectFailure, describeAddress } from '@poolguard/core/postgres'
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
  /** Told of suspected leaks and of long queries. */
  readonly onEvent?: PoolEventListener
}

/** An existing postgres() instance under observation. */
export interface SqlObservation {
  /**
   * How much is seen. `full`, or `in-flight` where this version of postgres.js does not have what is needed of it: then
   * only the queries of all instances are counted that somebody waits for, whether the server is at them or not.
   */
  readonly detail: 'full' | 'in-flight'
  snapshot(): PoolSnapshot
  /** By all that happened since it is observed. */
  health(): Health
  /** Leaves the instance as it was. */
  stop(): void
}

/** A query tells one observer only. */
const observed = new WeakSet<Sql>()

/**
 * Watches a postgres() instance that someone does not want to replace: what is at the server, what is held by transactions
 * and reserved connections, how long callers wait, be it in a pipeline, and leaks. It changes nothing in what that does.
 *
 * @throws {InvalidOptionError} for one that is observed already.
 * @example
 * const observation = observe(sql, { leakThresholdMillis: 30_000, onEvent: (event) => logger.warn(event) })
 * observation.snapshot().stats.waiting
 */
export function observe(sql: Sql, options: ObserveOptions = {}): SqlObservation {
  const { leakThresholdMillis, longQueryMillis, captureStacks, onEvent } = options
  const { host, port, database, user } = parsedOptionsOf(sql)
  const hosts = host.map((name, index) => ({ host: name, port: port[index] ?? 5432 }))
  const name = options.name ?? database
  if (observed.has(sql)) throw new InvalidOptionError('sql', name, 'an instance that is not observed already')
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
      for (const end of unhook) end()
      sqlStats.stop()
      observation.stop()
    },
  }
}

/** A query waits until the server is at it. */
function queryWatcher(leases: ObservedLeases<ObservedLease>, sqlStats: SqlStats): QueryWatcher {
  return {
    asked(query, below) {
      // The one with which begin() begins: that is watched as a whole.
      if (opensTransaction(query)) return undefined
      const request = leases.request(below)
      const lease = new ObservedLease()
      const { ended } = lease.begin(query)
      let waits = true
      const endWait = () => {
        if (waits) sqlStats.waiting--
        waits = false
      }
      sqlStats.waiting++
      return {
        started() {
          endWait()
          sqlStats.sawConnection(query.state)
          leases.begin(lease, request)
        },
        ended(error) {
          if (waits && error !== undefined) sqlStats.failed(classifyConnectFailure(error), error)
          endWait()
          ended()
          leases.end(lease)
        },
      }
    },
  }
}
