import type { BorrowerTraces } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'

/**
 * Everything of postgres.js that this package uses beyond its public types, typed, with the driver's source named. It is the
 * same from 3.4.0 to 3.4.9. Other files use these types and functions; {@link requireInternals} reports a version that lacks
 * something.
 */

/** `Query` in the driver's `src/query.js`. The handler settles it through `resolve` and `reject`. */
export interface Query extends Promise<unknown> {
  /** Called once, a microtask after the first `then`, `catch`, `finally`, `execute` or `forEach`. */
  handler: Handler
  canceller: Canceller | null
  strings: readonly string[]
  readonly args: readonly unknown[]
  readonly options: QueryOptions
  /** `unsafe` without a word on preparing, which is for the pool to decide. */
  undecided?: boolean
  /** Where it was made, while stacks are captured. */
  traces?: BorrowerTraces
  /** Why it was sent a second time. */
  retried?: unknown
  /** It goes by the name of a statement that the connection has. */
  prepared?: boolean
  /** What its statement is kept by. */
  readonly signature?: unknown
  /** Only its columns are asked for. */
  readonly onlyDescribe?: boolean
  /** Whom to ask to cancel it; null until it is sent. */
  state: Backend | null
  /** What it was prepared as; null until it is sent. */
  readonly statement: { readonly name: string; readonly types?: readonly number[] } | null
  /** It is the one that the server is at. */
  active: boolean
  cancelled: unknown
  /** Takes the rows of a cursor, and answers when it wants more. The iterator puts a new one there for every step. */
  cursorFn?: CursorConsumer
  resolve(value: unknown): void
  reject(error: unknown): void
  /** The stack of whoever wrote it, where that is kept. */
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

/** The class of queries, which is not exported. */
export type QueryConstructor = new (
  strings: TemplateStringsArray,
  args: readonly unknown[],
  handler: Handler,
  canceller: Canceller | null,
) => Query

export type CursorConsumer = (rows: unknown) => unknown

export interface Handler {
  (query: unknown): void
  /** With it, queries keep the stack of where they were made. */
  debug?: unknown
}

export type Canceller = (query: Query) => unknown

/** BackendKeyData. One object a connection, filled at login. */
export interface Backend {
  readonly pid: number
  readonly secret: number
}

/** A connection of an instance: what `Connection` in the driver's `src/connection.js` returns. */
export interface Wire {
  /** Sends. True where another query may be sent behind it already. */
  execute(query: Query): unknown
  terminate(): void
  /** Who has the connection to itself: see {@link onReady}. */
  reserved: Reservation | null
}

interface Reservation {
  (): unknown
  readonly release?: boolean
}

/** Stands in the queue of an instance instead of a query, and gets the connection when that is ready (`reserve` in `src/index.js`). */
export type ConnectionRequest = Partial<Query> & { reserve(wire: Wire): void }

/** The object that `parseOptions` in the driver's `src/index.js` makes, and that `postgres()` takes back unchanged. */
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

/** An instance as its queries are made by it. */
export type Instance = Sql & { readonly unsafe: (text: string, args?: unknown[], options?: object) => unknown }

/** This version of postgres.js does not have what is needed of it. */
export class UnsupportedPostgresError extends Error {
  static {
    UnsupportedPostgresError.prototype.name = 'UnsupportedPostgresError'
  }

  readonly code = 'POOLGUARD_UNSUPPORTED_POSTGRES'

  constructor(missing: readonly string[]) {
    super(
      `This version of postgres.js is not supported: it has no ${missing.join(', no ')}. ` +
        'Supported are 3.4.0 up to the versions that this release was tested with; please report the version you have.',
    )
  }
}

/** @throws {UnsupportedPostgresError} names what is missing. Makes one query, which is never sent. */
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

/** @throws {UnsupportedPostgresError} names what is missing. */
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

/** A query that is not sent unless it is awaited. */
export function queryOf(sql: Sql): Query {
  return sql.unsafe('') as unknown as Query
}

export function parsedOptionsOf(sql: Sql): ParsedOptions {
  return sql.options as unknown as ParsedOptions
}

/** Whether a query is the `begin` with which `sql.begin` takes its connection. */
export function opensTransaction({ options }: Query): boolean {
  return 'onexecute' in options
}

/** The members of `Query` that {@link beforeHandle} and {@link beforeThen} replace on the prototype. */
interface QueryPrototype {
  handle(this: Query & { readonly executed: boolean }): unknown
  then(this: Query, ...args: unknown[]): unknown
}

/** Whether this version has what {@link beforeHandle} and {@link onProgress} need, beyond {@link requireInternals}. */
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
 * Calls a hook when a query's outcome is first wanted, in the call stack of whoever wants it: `handle` is the method that `then`,
 * `execute` and the others call first, and `executed` is false until then. Covers all instances, whose queries have one class.
 *
 * @param hook gets the function below which the caller's stack begins.
 * @returns removes the hook.
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
 * Calls a hook whenever `then` of a query is called; all that it needs is that queries are promises with a class of their own.
 *
 * @param hook gets the original `then`, and the function below which the caller's stack begins.
 * @returns removes the hook.
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
    // Unless other code has wrapped it since.
    if (prototype[name] === replacement) Reflect.set(prototype, name, original)
  }
}

type Then = (
  fulfilled?: ((value: unknown) => unknown) | null,
  rejected?: ((error: unknown) => unknown) | null,
) => Promise<unknown>

/** Replaces what the first `then` of one query returns; later calls are the query's own. */
export function wrapFirstThen(query: Query, wrap: (outcome: Promise<unknown>) => Promise<unknown>): void {
  const then = query.then as Then
  const first: Then = (fulfilled, rejected) => {
    Reflect.set(query, 'then', then)
    const outcome = new Promise((resolve, reject) => void then.call(query, resolve, reject))
    return wrap(outcome).then(fulfilled, rejected)
  }
  Reflect.set(query, 'then', first)
}

/** Called when the server begins with a query, and when the query has its outcome. */
export interface QueryProgress {
  started(): void
  /** @param error is known if the query failed before the server began with it. */
  ended(error: unknown): void
}

/**
 * `active` is true while the server works on a query: not while the query waits, also in a pipeline. `resolve` and `reject` of
 * `src/query.js` set it to false.
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
        progress.started()
      } else if (!next) {
        progress.ended(failure)
      }
    },
  })
}

/**
 * Calls back whenever everything that was sent has been answered, with whether a transaction is open then. `ReadyForQuery` in
 * `src/connection.js` shows both only in how it treats a reserved connection: it reads `reserved.release`, and then calls
 * `reserved()` if a transaction is open, or else sets `reserved` to null. So the connection is always reserved, by this.
 */
export function onReady(wire: Wire, ready: (inTransaction: boolean) => void): void {
  /** Of the transaction that `sql.begin` has open here: it sends what could not be sent before. */
  let transaction: Reservation | null = null
  let asked = false

  const reservation: Reservation = () => {
    asked = false
    ready(true)
    transaction?.()
  }
  Object.defineProperty(reservation, 'release', {
    get: () => {
      asked = true
      return false
    },
  })
  Object.defineProperty(wire, 'reserved', {
    get: () => reservation,
    set: (next: Reservation | null) => {
      transaction = next
      // It is set to null when the connection closes as well, but then without reading `release`.
      if (next || !asked) return
      asked = false
      ready(false)
    },
  })
}
