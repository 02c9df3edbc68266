import type { BorrowerTraces } from '@poolguard/core'
import type { Sql } from 'postgres'

/**
 * What is used of postgres.js beyond its types, in one place. It is the same from 3.4.0 to 3.4.9. The rest of this
 * package goes by public names; whatever reaches further asks here, and {@link requireInternals} says at once when a version
 * no longer has it.
 */

/** A query that was made. Whoever handles it settles it through `resolve` and `reject`. */
export interface Query extends Promise<unknown> {
  /** Called once, when somebody first wants the outcome. */
  handler: Handler
  canceller: Canceller | null
  strings: readonly string[]
  readonly args: readonly unknown[]
  readonly options: { readonly simple?: boolean; prepare?: boolean }
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

/** One connection inside of an instance. */
export interface Wire {
  /** Sends. True where another query may be sent behind it already. */
  execute(query: Query): unknown
  terminate(): void
  /**
   * Whoever has the connection to himself. Called whenever the server is ready and a transaction is open; where none is, it
   * is set to null instead, unless its `release` is true.
   */
  reserved: Reservation | null
}

export interface Reservation {
  (): unknown
  readonly release?: boolean
}

/** The object that `postgres()` goes by, and takes back as it is. */
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

/** A query that does nothing unless somebody awaits it. */
export function queryOf(sql: Sql): Query {
  return sql.unsafe('') as unknown as Query
}

export function parsedOptionsOf(sql: Sql): ParsedOptions {
  return sql.options as unknown as ParsedOptions
}
