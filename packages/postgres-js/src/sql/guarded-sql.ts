import type { InspectOptions } from 'node:util'
import {
  credentialSourceOf,
  effectiveSignal,
  guardOf,
  InvalidOptionError,
  inspect,
  joinReplicas,
  KnownSecrets,
  type PoolGuard,
  registerOwnCode,
} from '@poolguard/core/adapter'
import postgres, { type Sql } from 'postgres'
import type { PostgresConnection } from '../connection/postgres-connection.ts'
import type { SqlSpec } from '../guarded-options.ts'
import { isSince348, type ParsedOptions, parsedOptionsOf, type Query, requireInternals } from '../internals.ts'
import { preparedNameOf, statementKeyOf, textOf } from '../queries/statement-text.ts'
import { bindQueries } from './bind-queries.ts'
import { FacadeLogin } from './facade-login.ts'
import type { GuardedSql } from './guarded-sql-api.ts'
import { makeBegin, makeReserve } from './hold-connection.ts'
import { type LoadedHalf, makeGuard } from './make-guard.ts'
import { GUARD, routeOf } from './route.ts'
import { handleAlone } from './run-query.ts'

registerOwnCode(new Error(), 'postgres-js')

const TRANSACTION_ADVICE =
  'Run the whole transaction in sql.begin(async (sql) => { ... }), or on a connection from sql.reserve(). ' +
  'With Drizzle: db.transaction(async (tx) => { ... }).'

/** Creates a `sql` whose queries are created by a facade, a postgres() that never connects, and sent on the pool's connections. */
export function makeGuardedSql(spec: SqlSpec): GuardedSql {
  const secrets = new KnownSecrets()
  const { credentials: ask, passfile } = spec
  const credentials = credentialSourceOf({ credentials: ask, password: spec.driver.password, passfile }, secrets)
  const login = credentials && new FacadeLogin(credentials)
  const facade = postgres({ ...spec.driver, ...(login && { password: login.password }), max: 1 })
  requireInternals(facade)
  const shared = parsedOptionsOf(facade)
  // Before `negotiateDirectly` adds the option to an older version.
  const isRecent = isSince348(shared)
  const half: LoadedHalf = { queries: undefined }
  const check = (query: Query) => {
    const sessions = guard.connections?.sessions
    return sessions?.reads ? sessions.check(textOf(query), preparedNameOf(query, shared)) : undefined
  }
  const guard = makeGuard(spec, { shared, isRecent, credentials, secrets, check, half })
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

  const replicas = makeReplicas(spec, guard, isRecent)

  const { listen, subscribe } = login?.methodsOf(facade, spec.credentials !== undefined) ?? facade
  const { largeObject, CLOSE, END, PostgresError, options } = facade
  const sql = Object.assign(bound, {
    ...{ listen, subscribe, largeObject, CLOSE, END, PostgresError, options, parameters: shared.parameters },
    begin,
    reserve: makeReserve(guard, facade, check),
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
  defineGetters(sql, guard)
  return sql as unknown as GuardedSql
}

function defineGetters(sql: object, guard: PoolGuard<PostgresConnection>): void {
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
