import type { InspectOptions } from 'node:util'
import type { PoolCounts, PoolInsight, PoolSettings, PoolSnapshot, ResolvedSettings } from '@poolguard/core'
import {
  asyncContextIsCheap,
  ConnectionString,
  type CredentialSource,
  credentialSourceOf,
  describeAddress,
  effectiveSignal,
  guardOf,
  hiddenTexts,
  hideSecrets,
  InvalidOptionError,
  inspect,
  joinReplicas,
  KnownSecrets,
  type Lease,
  normalizeTarget,
  PoolGuard,
  registerOwnCode,
  type ServerAddress,
  shownDatabase,
  withDeadlockDetection,
} from '@poolguard/core/adapter'
import postgres, { type ReservedSql, type Sql, type TransactionSql } from 'postgres'
import { negotiateDirectly } from '../connection/negotiate-directly.ts'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { SqlSpec } from '../guarded-options.ts'
import { isSince348, type ParsedOptions, parsedOptionsOf, type Query, requireInternals } from '../internals.ts'
import { preparedNameOf, statementKeyOf, textOf } from '../queries/statement-text.ts'
import { bindQueries } from './bind-queries.ts'
import { FacadeLogin } from './facade-login.ts'
import { reserveOn } from './reserve.ts'
import { GUARD, routeOf } from './route.ts'
import { handleAlone } from './run-query.ts'
import type { SharedQueries } from './shared-queries.ts'
import { transactOn } from './transaction.ts'

registerOwnCode(new Error(), 'postgres-js')

// biome-ignore lint/complexity/noBannedTypes: the same definition as in postgres.js, so that the types are compatible.
export type NoTypes = {}

/** Options of {@link GuardedSql.reserve}. */
export interface ReserveOptions {
  /** When it is aborted, the caller leaves the queue; later, the connection's running statement is cancelled on the server. */
  readonly signal?: AbortSignal | undefined
  /** The lane that the connection is acquired in (option `lanes`). Default: that of `runInLane`, else `default`. */
  readonly lane?: string | undefined
  /** Which server to use, in a pool with replicas. Default: the primary. */
  readonly on?: 'primary' | 'replica' | undefined
}

/** A postgres.js `sql` that stays within the connection limits of the database and reports its settings and state. */
export interface GuardedSql<TTypes extends Record<string, unknown> = NoTypes> extends postgres.Sql<TTypes> {
  /**
   * Resolves when detection has finished: the pool then knows whether there is a pooler in between, how many connections the database
   * allows, and its own bounds. Optional: queries work without it. The pool repeats the detection after the server was unreachable; with
   * `refresh: true` it does so now.
   *
   * @throws the connect error if the database cannot be reached.
   */
  ready(options?: { readonly refresh?: boolean }): Promise<PoolSnapshot>
  /** As postgres.js' `reserve`, which takes no options. For single queries and transactions, use `runWithDeadline` and `runInLane`. */
  reserve(options?: ReserveOptions): Promise<postgres.ReservedSql<TTypes>>
  /** A guarded `sql` for each replica, in the order of the option `replicas`. Its statements are not routed. */
  readonly replicas: readonly GuardedSql<TTypes>[]
  /** The counters of the snapshot that are cheap to read. */
  readonly counts: PoolCounts
  /** The pool's current state: counts, timings, topology and plan. */
  snapshot(): PoolSnapshot
  /**
   * Where the time of the pool's connections went in the last minutes, by label, ORM operation and statement, and what to change; undefined
   * with the option `insight: false`.
   */
  insight(): PoolInsight | undefined
  /** The settings in effect, each with its reason. */
  readonly settings: ResolvedSettings
  /**
   * Resizes the pool; later measurements do not change it back. Raising `max` serves waiters immediately. If you lower `max`, surplus
   * connections are closed when they become idle.
   */
  resize(bounds: Partial<Pick<PoolSettings, 'min' | 'max'>>): void
  /** Closes the idle connections, and connections that are released meanwhile. The pool stays open. `close` is postgres.js' alias. */
  closeIdle(): Promise<void>
  /** True after `end()` or after all pools of the process were closed. A closed pool rejects every query. */
  readonly closed: boolean
}

const TRANSACTION_ADVICE =
  'Run the whole transaction in sql.begin(async (sql) => { ... }), or on a connection from sql.reserve(). ' +
  'With Drizzle: db.transaction(async (tx) => { ... }).'

type Begin = (...args: [unknown, unknown?]) => Promise<unknown>

/** Returns the error to reject a query with, or undefined if it may be sent. */
type Check = (query: Query) => Error | undefined

/** Creates a `sql` whose queries are created by a facade, a postgres() that never connects, and sent on the pool's connections. */
export function makeGuardedSql(spec: SqlSpec): GuardedSql {
  const secrets = new KnownSecrets()
  const { credentials: ask, passfile } = spec
  const credentials = credentialSourceOf({ credentials: ask, password: spec.driver.password, passfile }, secrets)
  const login = credentials && new FacadeLogin(credentials)
  const facade = postgres({ ...spec.driver, ...(login && { password: login.password }), max: 1 })
  requireInternals(facade)
  const shared = parsedOptionsOf(facade)
  const half: LoadedHalf = { queries: undefined }
  const check = (query: Query) => {
    const sessions = guard.connections?.sessions
    return sessions?.reads ? sessions.check(textOf(query), preparedNameOf(query, shared)) : undefined
  }
  const guard = makeGuard(spec, { shared, credentials, secrets, check, half })
  showSettings(shared, spec, guard)
  const { mistakes } = guard

  const handle = (query: Query) => {
    const rejection = mistakes.transactions.check(textOf(query), TRANSACTION_ADVICE)
    if (rejection) query.reject(rejection)
    // `check` needs the topology, which is known once a connection is open.
    else {
      const { traces } = query
      const signal = effectiveSignal()
      if (!guard.routing && half.queries?.run(query, signal, handle)) return
      const route = guard.routing && routeOf(query, guard.routing)
      handleAlone(query, () => guard.acquire((traces || signal) && { traces, signal }, route), check, signal)
    }
  }
  const wantsStackOf = (query: Query) => guard.recorder?.wantsStackOf(statementKeyOf(query)) ?? false
  const bound = bindQueries(facade, handle, {
    capturesStacks: (query) => guard.engine.capturesStacks || wantsStackOf(query),
  })
  const begin = makeBegin(guard, check)
  // `largeObject` calls `begin` of the facade.
  facade.begin = begin as Sql['begin']

  const replicas = makeReplicas(spec, guard, isSince348(shared))

  const { listen, subscribe } = login?.methodsOf(facade, spec.credentials !== undefined) ?? facade
  const { largeObject, CLOSE, END, PostgresError, options } = facade
  const sql = Object.assign(bound, {
    ...{ listen, subscribe, largeObject, CLOSE, END, PostgresError, options, parameters: shared.parameters },
    begin,
    reserve: async (options: ReserveOptions = {}): Promise<ReservedSql> => {
      const signal = effectiveSignal(options.signal)
      const lease = await acquireUntilAborted(guard, signal, options)
      return reserveOn(lease, facade, checkWithAbort(lease, check), (query) => mistakes.lateQueries.report(lease, query))
    },
    closeIdle: () => guard.closeIdle(),
    // postgres.js' name for closeIdle.
    close: () => guard.closeIdle(),
    end: makeEnd(guard, facade, replicas),
    ready: (options?: { readonly refresh?: boolean }) => guard.ready(options),
    snapshot: () => guard.snapshot(),
    insight: () => guard.insight(),
    replicas,
    resize: (bounds: { readonly min?: number; readonly max?: number }) => guard.resize(bounds),
  })
  Object.defineProperties(sql, {
    settings: { get: () => guard.settings, enumerable: true },
    closed: { get: () => guard.engine.closed, enumerable: true },
    counts: { get: () => guard.counts, enumerable: true },
    [GUARD]: { value: guard },
    // The options contain the password, so `inspect` shows the snapshot.
    [inspect.custom]: {
      value: (_depth: number, shown: InspectOptions) => `GuardedSql ${inspect(guard.snapshot(), shown)}`,
    },
  })
  return sql as unknown as GuardedSql
}

function makeReplicas(spec: SqlSpec, guard: PoolGuard<PostgresConnection>, isRecent: boolean): readonly GuardedSql[] {
  const specs = spec.replicas(guard.name)
  if (specs.length === 0) return []
  if (!isRecent) {
    const wanted =
      'no value with this version of postgres.js, which settles a write before it is committed: update it to 3.4.8'
    throw new InvalidOptionError('replicas', 'a list', wanted)
  }
  const replicas = specs.map((replica) => makeGuardedSql(replica))
  const guards = replicas.map((replica) => guardOf<PostgresConnection>(replica, GUARD))
  joinReplicas(guard, guards, spec.replicaPolicy, { routesReplicas: false })
  return replicas
}

/** The part of a `sql` that is loaded with its first connection. */
interface LoadedHalf {
  queries: SharedQueries | undefined
}

interface GuardParts {
  readonly shared: ParsedOptions
  readonly credentials: CredentialSource | undefined
  readonly secrets: KnownSecrets
  readonly check: Check
  readonly half: LoadedHalf
}

function makeGuard(
  spec: SqlSpec,
  { shared, credentials, secrets, check, half }: GuardParts,
): PoolGuard<PostgresConnection> {
  const { host, port, database, user } = shared
  const hosts = host.map((name, index) => ({ host: name, port: port[index] ?? 5432 }))
  const address = spec.guard.connection ?? new ConnectionString({ hosts, database, user })
  const hidden = hiddenTexts(address)
  const servers = shared.path ? socketAt(shared.path) : hosts
  hideSecrets(shared, hidden)
  for (const text of [...hidden, shared.pass]) secrets.add(text)
  // Before `negotiateDirectly` adds the option to an older version.
  const isRecent = isSince348(shared)
  const warnings = [...(spec.guard.warnings ?? []), ...negotiateDirectly(shared, spec.driver.sslnegotiation)]
  const guardSpec = {
    ...spec.guard,
    warnings,
    hosts: spec.planHosts(servers),
    name: spec.guard.name ?? nameOf(address, database),
    target: describeAddress(address),
    secrets,
    againstPipelining: isRecent
      ? undefined
      : 'this version of postgres.js settles queries too early (3.4.8 and later do not)',
  }
  const guard: PoolGuard<PostgresConnection> = new PoolGuard(guardSpec, async () => {
    const { makeConnectedHalf } = await import('./connected-half.ts')
    return (connections) => {
      const made = makeConnectedHalf({ guard, shared, fetchTypes: spec.fetchTypes, credentials, check }, connections)
      half.queries = made.queries
      return made.driver
    }
  })
  return guard
}

/** The folder of a Unix socket is its host, as in libpq. A socket with another name of its own cannot be chosen among hosts. */
function socketAt(path: string): readonly ServerAddress[] {
  const [, host, port] = /^(.+)\/\.s\.PGSQL\.(\d+)$/.exec(path) ?? []
  return host === undefined ? [] : [{ host, port: Number(port) }]
}

/** The database's name; `***` if it may be a part of a password. */
function nameOf(address: ConnectionString, database: string): string {
  return normalizeTarget(address).shown().database ?? shownDatabase(database) ?? 'postgres'
}

/** Makes `sql.options` show the pool's settings under postgres.js' names. */
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
    // Off unless known to be safe: behind a pooler that does not track names, a name may run another client's statement.
    prepare: () => prepare ?? guard.topology?.preparedStatements === 'safe',
    fetch_types: () => fetchTypes,
  }
  for (const [name, get] of Object.entries(shown)) {
    Object.defineProperty(shared, name, { get, enumerable: true, configurable: true })
  }
}

/** Runs each transaction with deadlock detection if that is cheap on this version of Node. */
function makeBegin(guard: PoolGuard<PostgresConnection>, check: Check): Begin {
  const begin: Begin = async (...args) => {
    const [options, body] = args[1] ? args : ['', args[0]]
    const lease = await acquireUntilAborted(guard, effectiveSignal())
    const checkAbort = checkWithAbort(lease, check)
    try {
      return await transactOn(lease, String(options), body as (sql: TransactionSql) => unknown, checkAbort, (query) =>
        guard.mistakes.lateQueries.report(lease, query),
      )
    } finally {
      lease.resource.callerAbort.end()
      lease.release()
    }
  }
  return asyncContextIsCheap ? (...args) => withDeadlockDetection(() => begin(...args)) : begin
}

/** While the lease lasts, the connection's running statement is cancelled when the signal is aborted. */
async function acquireUntilAborted(
  guard: PoolGuard<PostgresConnection>,
  signal: AbortSignal | undefined,
  { lane, on }: ReserveOptions = {},
): Promise<Lease<PostgresConnection>> {
  const lease = await guard.acquire(signal || lane !== undefined ? { signal, lane } : undefined, { on })
  if (!signal) return lease
  if (signal.aborted) {
    lease.release()
    throw signal.reason
  }
  // A statement that does not end is left to the release: the caller still has the connection.
  lease.resource.callerAbort.watch(signal, () => {})
  return lease
}

/** Also rejects the statements that the caller sends after its signal was aborted. */
function checkWithAbort({ resource: { callerAbort } }: Lease<PostgresConnection>, check: Check): Check {
  return (query) => (callerAbort.rejects(textOf(query)) ? (callerAbort.reason as Error) : check(query))
}

/** Ends the pool, then the facade, which owns the connections of listen and subscribe. */
function makeEnd(guard: PoolGuard<PostgresConnection>, facade: Sql, replicas: readonly Sql[]): Sql['end'] {
  return async ({ timeout } = {}) => {
    // As in postgres.js, queries awaited before `end()` still run; they are handled one microtask later.
    await undefined
    const drainMillis = guard.engine.settings.drainMillis
    const replicasEnded = Promise.all(replicas.map((replica) => replica.end({ timeout })))
    await guard.close(timeout === undefined || timeout === null ? drainMillis : Math.min(timeout * 1_000, drainMillis))
    await facade.end({ timeout: 0 })
    await replicasEnded
  }
}
