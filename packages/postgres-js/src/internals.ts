import type { BorrowerTraces } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'

/**
 * The internals of postgres.js that this package uses, with types and the driver's source file. They are the same from 3.4.0 to 3.4.9.
 * Other files access internals only through this file; {@link requireInternals} rejects a version that lacks something.
 */

/** `Query` in the driver's `src/query.js`. The handler settles it through `resolve` and `reject`. */
export interface Query extends Promise<unknown> {
  /** Called once, a microtask after the first `then`, `catch`, `finally`, `execute` or `forEach`. */
  handler: Handler
  canceller: Canceller | null
  strings: readonly string[]
  readonly args: readonly unknown[]
  readonly options: QueryOptions
  /** The values that are sent, once postgres.js has built the query. */
  parameters?: readonly unknown[] | undefined
  /** True for `unsafe` with parameters and without the option `prepare`: the pool decides whether it is prepared. */
  undecided?: boolean
  /** True for a tagged query that shares its connection: the connection is closed if the query's prepared statement is stale. */
  closesStale?: boolean
  /** Where it was created, if stacks are captured. */
  traces?: BorrowerTraces
  /** Why it was sent a second time. */
  retried?: unknown
  /** True if it uses a statement that the connection has already prepared. */
  prepared?: boolean
  /** The key of its prepared statement. */
  readonly signature?: unknown
  /** True if only the description of its columns is requested (`describe()`). */
  readonly onlyDescribe?: boolean
  /** The backend for cancel requests; null until it is sent. */
  state: Backend | null
  /** Its prepared statement; null until it is sent. */
  readonly statement: { readonly name: string; readonly types?: readonly number[] } | null
  /** True while the server is running it. */
  active: boolean
  cancelled: unknown
  /** Consumes the rows of a cursor; resolves when the next ones may be fetched. The iterator assigns a new function for every step. */
  cursorFn?: CursorConsumer
  resolve(value: unknown): void
  reject(error: unknown): void
  /** The stack of the code that created it, if postgres.js records it. */
  readonly origin: string
  raw(): this
}

/** The fourth argument of a query's constructor, which `unsafe` and `file` take from their callers. */
interface QueryOptions {
  readonly simple?: boolean
  prepare?: boolean
  /** Set only by `begin` on its first query, to take the connection (`scope` in `src/index.js`). */
  readonly onexecute?: unknown
}

/** The class of queries, which postgres.js does not export. */
export type QueryConstructor = new (
  strings: TemplateStringsArray,
  args: readonly unknown[],
  handler: Handler,
  canceller: Canceller | null,
) => Query

export type CursorConsumer = (rows: unknown) => unknown

export interface Handler {
  (query: unknown): void
  /** If set, queries record the stack of their creation. */
  debug?: unknown
}

export type Canceller = (query: Query) => unknown

/** BackendKeyData. One object per connection, filled at login. */
export interface Backend {
  readonly pid: number
  readonly secret: number
}

/** A connection of an instance, as returned by `Connection` in the driver's `src/connection.js`. */
export interface Wire {
  /** Sends a query. Truthy if another query may be sent directly behind it. */
  execute(query: Query): unknown
  terminate(): void
  /** Called or read at every ReadyForQuery: see {@link onReady}. */
  reserved: Reservation | null
}

interface Reservation {
  (): unknown
  readonly release?: boolean
}

/** An entry in the queue of an instance that gets the whole connection when it is ready (`reserve` in `src/index.js`). */
export type ConnectionRequest = Partial<Query> & { reserve(wire: Wire): void }

/** The result of `parseOptions` in the driver's `src/index.js`. `postgres()` accepts it as its options. */
export interface ParsedOptions {
  host: readonly string[]
  port: readonly number[]
  path: string | false
  user: string
  database: string
  pass: string | (() => string | Promise<string>)
  max: number
  idle_timeout: number | null
  ssl: unknown
  sslnegotiation?: string | null
  prepare: boolean
  debug: unknown
  target_session_attrs: string | null | undefined
  connection: Record<string, unknown>
  transform: { readonly row: { readonly from?: unknown } }
  parsers: Record<number, unknown>
  serializers: Record<number, ((value: unknown) => unknown) | undefined>
  parameters: Record<string, string>
  shared: { readonly typeArrayMap: Record<number, number> }
  onclose?: ((id: number) => void) | undefined
  onparameter?: ((name: string, value: string) => void) | undefined
  socket?: ((options: unknown) => unknown) | undefined
}

/** An instance with an untyped `unsafe`. */
export type Instance = Sql & { readonly unsafe: (text: string, args?: unknown[], options?: object) => unknown }

/** Thrown if this version of postgres.js lacks internals that poolguard needs. */
export class UnsupportedPostgresError extends Error {
  static {
    UnsupportedPostgresError.prototype.name = 'UnsupportedPostgresError'
  }

  readonly code = 'POOLGUARD_UNSUPPORTED_POSTGRES'

  constructor(missing: readonly string[]) {
    super(
      `This version of postgres.js is not supported: it has no ${missing.join(', no ')}. ` +
        'poolguard is tested with 3.4.0 to 3.4.9. Install one of these versions, and report the version that fails.',
    )
  }
}

/**
 * Checks for the internals that poolguard needs. Creates one query, which is never sent.
 *
 * @throws {UnsupportedPostgresError} lists the missing members.
 */
export function requireInternals(sql: Sql): void {
  const query = queryOf(sql)
  const options = parsedOptionsOf(sql)
  requireAll({
    'query.handler': typeof query.handler === 'function',
    'query.canceller': typeof query.canceller === 'function',
    'query.resolve': typeof query.resolve === 'function',
    'query.reject': typeof query.reject === 'function',
    'query.state': query.state === null,
    'query.active': query.active === false,
    'query.cancelled': query.cancelled === null,
    'query.strings': Array.isArray(query.strings),
    'query.options': typeof query.options === 'object',
    'options.shared': typeof options.shared?.typeArrayMap === 'object',
    'options.parsers': typeof options.parsers === 'object',
    'options.serializers': typeof options.serializers === 'object',
  })
}

/** @throws {UnsupportedPostgresError} lists the missing members. */
export function requireWire(wire: Wire): void {
  requireAll({
    'connection.execute': typeof wire.execute === 'function',
    'connection.terminate': typeof wire.terminate === 'function',
  })
}

function requireAll(present: Record<string, boolean>): void {
  const missing = Object.keys(present).filter((name) => !present[name])
  if (missing.length > 0) throw new UnsupportedPostgresError(missing)
}

/** Creates a query. It is never sent, because it is not awaited. */
export function queryOf(sql: Sql): Query {
  return sql.unsafe('') as unknown as Query
}

export function parsedOptionsOf(sql: Sql): ParsedOptions {
  return sql.options as unknown as ParsedOptions
}

/**
 * True for postgres.js 3.4.8 and later, the first version with the option `sslnegotiation`. It also settles a query at its ReadyForQuery.
 * Earlier versions settle it before, and retry any query with a stale statement, prepared or not (before 3.4.4): an answer may then go to
 * another query in flight.
 */
export function isSince348(options: ParsedOptions): boolean {
  return 'sslnegotiation' in options
}

/** True for the BEGIN with which `sql.begin` acquires its connection. */
export function opensTransaction({ options }: Query): boolean {
  return 'onexecute' in options
}

/** The members of `Query` that {@link beforeHandle} and {@link beforeThen} replace on the prototype. */
interface QueryPrototype {
  handle(this: Query & { readonly executed: boolean }): unknown
  then(this: Query, ...args: unknown[]): unknown
}

/** True if this version has the internals that {@link beforeHandle} and {@link onProgress} need. */
export function canHookHandle(sql: Sql): boolean {
  const query = queryOf(sql) as Partial<Query> & { handle?: unknown; executed?: unknown }
  return (
    typeof query.handler === 'function' &&
    typeof query.handle === 'function' &&
    typeof query.reject === 'function' &&
    query.active === false &&
    query.executed === false
  )
}

/**
 * Calls a hook when a query's outcome is first requested, in the caller's stack. `then`, `execute` and similar methods all call `handle`
 * first, and `executed` is false until then. The hook applies to all instances, because their queries have one class.
 *
 * @param hook gets the function below which the caller's stack begins.
 * @returns a function that removes the hook.
 */
export function beforeHandle(sql: Sql, hook: (query: Query, below: (...args: never[]) => unknown) => void): () => void {
  return replaceOnPrototype(sql, 'handle', (original) => {
    const handle: QueryPrototype['handle'] = function handle() {
      if (!this.executed) hook(this, handle)
      return original.call(this)
    }
    return handle
  })
}

/**
 * Calls a hook whenever `then` of a query is called. Requires only that queries are instances of a subclass of Promise.
 *
 * @param hook gets the original `then`, and the function below which the caller's stack begins.
 * @returns a function that removes the hook.
 */
export function beforeThen(
  sql: Sql,
  hook: (query: Query, then: QueryPrototype['then'], below: (...args: never[]) => unknown) => void,
): () => void {
  return replaceOnPrototype(sql, 'then', (original) => {
    const then: QueryPrototype['then'] = function then(...args) {
      hook(this, original, then)
      return original.apply(this, args)
    }
    return then
  })
}

function replaceOnPrototype<Name extends keyof QueryPrototype>(
  sql: Sql,
  name: Name,
  replace: (original: QueryPrototype[Name]) => QueryPrototype[Name],
): () => void {
  const prototype = Object.getPrototypeOf(queryOf(sql)) as QueryPrototype
  const original = prototype[name]
  const replacement = replace(original)
  Reflect.set(prototype, name, replacement)
  return () => {
    // Keep the method if other code has wrapped it since.
    if (prototype[name] === replacement) Reflect.set(prototype, name, original)
  }
}

type Then = (
  fulfilled?: ((value: unknown) => unknown) | null,
  rejected?: ((error: unknown) => unknown) | null,
) => Promise<unknown>

/** Wraps the promise that the first `then` of a query returns. Later calls use the query's own `then`. */
export function wrapFirstThen(query: Query, wrap: (outcome: Promise<unknown>) => Promise<unknown>): void {
  const then = query.then as Then
  const first: Then = (fulfilled, rejected) => {
    Reflect.set(query, 'then', then)
    const outcome = new Promise((resolve, reject) => void then.call(query, resolve, reject))
    return wrap(outcome).then(fulfilled, rejected)
  }
  Reflect.set(query, 'then', first)
}

/** Callbacks for the start and the end of a query on the server. */
export interface QueryProgress {
  onStarted(): void
  /** @param error is set if the query failed before the server started it. */
  onEnded(error: unknown): void
}

/**
 * Reports the start and the end of a query. postgres.js sets `active` to true when the server starts the query, not while the query
 * waits in a pipeline; `resolve` and `reject` of `src/query.js` set it to false.
 */
export function onProgress(query: Query, progress: QueryProgress): void {
  let active = false
  let started = false
  let failure: unknown
  const { reject } = query
  query.reject = (error) => {
    if (!started) failure = error
    reject(error)
  }
  Object.defineProperty(query, 'active', {
    configurable: true,
    enumerable: true,
    get: () => active,
    set: (next: boolean) => {
      active = next
      if (next && !started) {
        started = true
        progress.onStarted()
      } else if (!next) {
        progress.onEnded(failure)
      }
    },
  })
}

/**
 * Calls `ready` at every ReadyForQuery that leaves nothing unanswered, with whether a transaction is open. `ReadyForQuery` in
 * `src/connection.js` exposes this only for a reserved connection: it reads `reserved.release`, and then calls `reserved()` if a
 * transaction is open, or else sets `reserved` to null. So this function keeps the connection reserved permanently.
 */
export function onReady(wire: Wire, ready: (inTransaction: boolean) => void): void {
  /** The reservation of an open `sql.begin`: calling it sends the queued queries of the transaction. */
  let transaction: Reservation | null = null
  let releaseWasRead = false

  const reservation: Reservation = () => {
    releaseWasRead = false
    ready(true)
    transaction?.()
  }
  Object.defineProperty(reservation, 'release', {
    get: () => {
      releaseWasRead = true
      return false
    },
  })
  Object.defineProperty(wire, 'reserved', {
    get: () => reservation,
    set: (next: Reservation | null) => {
      transaction = next
      // postgres.js also sets it to null when the connection closes, but then without reading `release`.
      if (next || !releaseWasRead) return
      releaseWasRead = false
      ready(false)
    },
  })
}
