import { type InspectOptions, inspect } from 'node:util'
import {
  type PoolCounts,
  type PoolSettings,
  type PoolSnapshot,
  type ResolvedSettings,
  withDeadlockDetection,
} from '@poolguard/core'
import {
  asyncContextIsCheap,
  hiddenTexts,
  hideSecrets,
  KnownSecrets,
  PoolGuard,
  registerOwnCode,
  shownDatabase,
} from '@poolguard/core/adapter'
import { ConnectionString, describeAddress, normalizeTarget } from '@poolguard/core/postgres'
import postgres, { type ReservedSql, type Sql, type TransactionSql } from 'postgres'
import { ConnectionFactory } from '../connection/connection-factory.ts'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import { PostgresJsDriver } from '../connection/postgres-js-driver.ts'
import type { SqlSpec } from '../guarded-options.ts'
import { type ParsedOptions, parsedOptionsOf, type Query, requireInternals } from '../internals.ts'
import { preparedNameOf, textOf } from '../queries/statement-text.ts'
import { bindQueries } from './bind-queries.ts'
import { reserveOn } from './reserve.ts'
import { handleAlone } from './run-query.ts'
import { transactOn } from './transaction.ts'

registerOwnCode(new Error(), 'postgres-js')

// biome-ignore lint/complexity/noBannedTypes: as postgres.js has it, or its Sql would be another one.
export type NoTypes = {}

/** A postgres.js `sql` that keeps to what the database can give, and says so. */
export interface GuardedSql<TTypes extends Record<string, unknown> = NoTypes> extends postgres.Sql<TTypes> {
  /**
   * Resolves when the database has been looked at: what stands in between, what it can give, and so the pool's bounds.
   * Nothing needs to wait for it. The pool looks again by itself after the server was away; `again` asks for it now.
   *
   * @throws what connecting throws.
   */
  ready(options?: { readonly refresh?: boolean }): Promise<PoolSnapshot>
  /** The few figures of the snapshot that cost nothing to read. */
  readonly counts: PoolCounts
  /** What the pool looks like now. */
  snapshot(): PoolSnapshot
  /** The settings that hold, each with its reason. */
  readonly settings: ResolvedSettings
  /** Changes how many connections may be open, whatever is measured later. Waiters are served at once, surplus goes when nobody uses it. */
  resize(bounds: Partial<Pick<PoolSettings, 'min' | 'max'>>): void
  /** Closes the idle connections, and the connections that are released meanwhile. The pool stays open. `close` does the same. */
  closeIdle(): Promise<void>
  /** Whether it lends no more: `end()` was called, or every pool of the process was closed. */
  readonly closed: boolean
}

const TRANSACTION_ADVICE =
  'Run all of it in one transaction: sql.begin(async (sql) => { ... }), or sql.reserve() for a connection of your own. ' +
  'With Drizzle: db.transaction(async (tx) => { ... }).'

type Begin = (...args: [unknown, unknown?]) => Promise<unknown>

/** A `sql` whose queries are made by a postgres() that never connects, and sent on connections that the pool lends. */
export function makeGuardedSql(spec: SqlSpec): GuardedSql {
  const facade = postgres({ ...spec.driver, max: 1 })
  requireInternals(facade)
  const shared = parsedOptionsOf(facade)
  const guard = makeGuard(spec, shared)
  showSettings(shared, spec, guard)

  const refuse = (query: Query) =>
    guard.sessions.reads ? guard.sessions.check(textOf(query), preparedNameOf(query, shared)) : undefined
  const handle = (query: Query) => {
    const refusal = guard.sessions.checkAlone(textOf(query), TRANSACTION_ADVICE)
    if (refusal) query.reject(refusal)
    // What is at the other end shows when there is a connection.
    else handleAlone(query, () => guard.acquire(query.traces && { traces: query.traces }), refuse)
  }
  const bound = bindQueries(facade, handle, { capturesStacks: () => guard.engine.capturesStacks })
  const begin = makeBegin(guard, refuse)
  // A large object is a transaction of the facade's.
  facade.begin = begin as Sql['begin']

  const { listen, subscribe, largeObject, CLOSE, END, PostgresError, options } = facade
  const sql = Object.assign(bound, {
    ...{ listen, subscribe, largeObject, CLOSE, END, PostgresError, options, parameters: shared.parameters },
    begin,
    reserve: async (): Promise<ReservedSql> => {
      const lease = await guard.acquire()
      return reserveOn(lease, facade, refuse, (query) => guard.lateQueries.report(lease, query))
    },
    closeIdle: () => guard.closeIdle(),
    // The name that postgres.js has for it.
    close: () => guard.closeIdle(),
    end: makeEnd(guard, facade),
    ready: (options?: { readonly refresh?: boolean }) => guard.ready(options),
    snapshot: () => guard.snapshot(),
    resize: (bounds: { readonly min?: number; readonly max?: number }) => guard.resize(bounds),
  })
  Object.defineProperties(sql, {
    settings: { get: () => guard.settings, enumerable: true },
    closed: { get: () => guard.engine.closed, enumerable: true },
    counts: { get: () => guard.counts, enumerable: true },
    // Its options hold the password.
    [inspect.custom]: {
      value: (_depth: number, shown: InspectOptions) => `GuardedSql ${inspect(guard.snapshot(), shown)}`,
    },
  })
  return sql as unknown as GuardedSql
}

function makeGuard(spec: SqlSpec, shared: ParsedOptions): PoolGuard<PostgresConnection> {
  const { host, port, database, user } = shared
  const hosts = host.map((name, index) => ({ host: name, port: port[index] ?? 5432 }))
  const address = spec.guard.connection ?? new ConnectionString({ hosts, database, user })
  const hidden = hiddenTexts(address)
  hideSecrets(shared, hidden)
  const secrets = new KnownSecrets([...hidden, shared.pass])
  const guardSpec = {
    ...spec.guard,
    name: spec.guard.name ?? nameOf(address, database),
    target: describeAddress(address),
    secrets,
  }
  return new PoolGuard<PostgresConnection>(guardSpec, (guard) => {
    const factory = new ConnectionFactory({
      shared,
      applicationName: () => guard.applicationName,
      fetchTypes: spec.fetchTypes,
      prepares: () => shared.prepare,
      statements: guard.statements,
      meet: (connection) => guard.meet(connection),
      isDirect: () => guard.topology?.kind === 'direct',
      leftInTransaction: () => guard.leftInTransaction(),
      warn: (message) => guard.warn(message),
      secrets,
    })
    return new PostgresJsDriver(factory, typeof shared.pass === 'function')
  })
}

/** The database; `***` where that may be a piece of a password. */
function nameOf(address: ConnectionString, database: string): string {
  return normalizeTarget(address).shown().database ?? shownDatabase(database) ?? 'postgres'
}

/** `sql.options` tells what holds, in the words of postgres.js. */
function showSettings(
  shared: ParsedOptions,
  { prepare, fetchTypes }: SqlSpec,
  guard: PoolGuard<PostgresConnection>,
): void {
  const settings = () => guard.engine.settings
  const seconds = (millis: number) => (millis === Infinity ? null : millis / 1_000)
  const shown = {
    max: () => settings().max,
    idle_timeout: () => seconds(settings().idleTimeoutMillis),
    max_lifetime: () => seconds(settings().maxLifetimeMillis),
    // Safe until proven: a name that a pooler does not keep track of may be another client's statement.
    prepare: () => prepare ?? guard.topology?.preparedStatements === 'safe',
    fetch_types: () => fetchTypes,
  }
  for (const [name, get] of Object.entries(shown)) {
    Object.defineProperty(shared, name, { get, enumerable: true, configurable: true })
  }
}

/** Each transaction runs in a scope of its own where that costs nothing, so that the pool can tell a deadlock. */
function makeBegin(guard: PoolGuard<PostgresConnection>, refuse: (query: Query) => Error | undefined): Begin {
  const begin: Begin = async (...args) => {
    const [options, body] = args[1] ? args : ['', args[0]]
    const lease = await guard.acquire()
    try {
      return await transactOn(lease, String(options), body as (sql: TransactionSql) => unknown, refuse, (query) =>
        guard.lateQueries.report(lease, query),
      )
    } finally {
      lease.release()
    }
  }
  return asyncContextIsCheap ? (...args) => withDeadlockDetection(() => begin(...args)) : begin
}

/** The connections of listen and subscribe are the facade's. */
function makeEnd(guard: PoolGuard<PostgresConnection>, facade: Sql): Sql['end'] {
  return async ({ timeout } = {}) => {
    // As in postgres.js: queries that were asked for before it are handled a moment later.
    await undefined
    const drainMillis = guard.engine.settings.drainMillis
    await guard.close(timeout === undefined || timeout === null ? drainMillis : Math.min(timeout * 1_000, drainMillis))
    await facade.end({ timeout: 0 })
  }
}
