import {
  ConnectionString,
  classifyConnectFailure,
  DEFAULT_POOL_SETTINGS,
  describeAddress,
  evaluateHealth,
  type Health,
  InvalidOptionError,
  LeaseLedger,
  type PoolEventListener,
  type PoolSettings,
  type PoolSnapshot,
  registerPool,
} from '@poolguard/core'
import type { Sql } from 'postgres'
import { parsedOptionsOf } from '../internals.ts'
import { countInFlight } from './count-in-flight.ts'
import { Held } from './observed-lease.ts'
import { SqlFigures } from './sql-stats.ts'
import { watchHolders } from './watch-holders.ts'
import { canWatchQueries, type QueryWatcher, watchQueries } from './watch-queries.ts'

export interface ObserveOptions
  extends Partial<Pick<PoolSettings, 'leakThresholdMillis' | 'longQueryMillis' | 'stacks'>> {
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
  const { host, port, database, user } = parsedOptionsOf(sql)
  const hosts = host.map((name, index) => ({ host: name, port: port[index] ?? 5432 }))
  const name = options.name ?? database
  if (observed.has(sql)) throw new InvalidOptionError('sql', name, 'an instance that is not observed already')
  const ledger = new LeaseLedger<Held>({
    name,
    max: () => sql.options.max,
    leakThresholdMillis: options.leakThresholdMillis ?? DEFAULT_POOL_SETTINGS.leakThresholdMillis,
    longQueryMillis: options.longQueryMillis ?? DEFAULT_POOL_SETTINGS.longQueryMillis,
    stacks: options.stacks ?? DEFAULT_POOL_SETTINGS.stacks,
    activityOf: (held) => held.activity,
    runningQueryOf: (held) => held.runningQuery,
    isListening: (held) => held.listening,
    onEvent: options.onEvent,
  })
  const figures = new SqlFigures(sql, ledger)
  const detail = canWatchQueries(sql) ? 'full' : 'in-flight'
  const unhook =
    detail === 'full'
      ? [watchQueries(sql, queryWatcher(ledger, figures)), watchHolders(sql, ledger, figures)]
      : [countInFlight(sql, ledger)]
  const snapshot = (): PoolSnapshot => ({
    name,
    target: describeAddress(new ConnectionString({ hosts, database, user })),
    stats: figures.stats(),
    dirtyReleases: 0,
    lintFindings: 0,
    preparing: null,
    topology: null,
    budget: null,
    fleet: null,
  })
  const begin = figures.stats()
  const unregister = registerPool({ snapshot })
  observed.add(sql)
  return {
    detail,
    snapshot,
    health: () => evaluateHealth({ stats: figures.stats(), before: begin }),
    stop() {
      observed.delete(sql)
      for (const end of unhook) end()
      figures.stop()
      unregister()
    },
  }
}

/** A query waits until the server is at it. */
function queryWatcher(ledger: LeaseLedger<Held>, figures: SqlFigures): QueryWatcher {
  return {
    asked(query, below) {
      // The one with which begin() begins: that is watched as a whole.
      if ('onexecute' in query.options) return undefined
      const request = ledger.asked(below)
      const held = new Held()
      const { ended } = held.begin(query)
      let waits = true
      const endWait = () => {
        if (waits) figures.waiting--
        waits = false
      }
      figures.waiting++
      return {
        started() {
          endWait()
          figures.sawConnection(query.state)
          ledger.lent(held, request)
        },
        ended(error) {
          if (waits && error !== undefined) figures.failed(classifyConnectFailure(error), error)
          endWait()
          ended()
          ledger.returned(held)
        },
      }
    },
  }
}
