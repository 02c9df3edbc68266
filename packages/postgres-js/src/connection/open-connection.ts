import type { Socket } from 'node:net'
import {
  type AutomaticStatements,
  abortAfter,
  type InsightRecorder,
  type OpenContext,
  type StartupParameterMap,
  systemClock,
} from '@poolguard/core/adapter'
import type { SessionHealth } from '@poolguard/core/connection'
import postgres, { type Sql } from 'postgres'
import {
  type Canceller,
  type ConnectionRequest,
  type ParsedOptions,
  parsedOptionsOf,
  type Query,
  queryOf,
  requireWire,
  type Wire,
} from '../internals.ts'
import { dial, type Endpoint } from './dial.ts'
import { closedError } from './fatal-error.ts'
import type { InternalQueryMode } from './internal-queries.ts'
import { PostgresConnection } from './postgres-connection.ts'
import { QueryPreparer } from './prepare-queries.ts'

/** Timeout of a cancel request. The server closes its connection: PgBouncer 1.18 crashes if the client closes it first. */
const CANCEL_TIMEOUT_MILLIS = 5_000

export interface Credentials {
  readonly user: string
  readonly password: string
}

export interface OpenOptions extends Credentials {
  /** The options of the facade. All connections share its parsers and serializers, which an ORM may change at any time. */
  readonly shared: ParsedOptions
  readonly endpoint: Endpoint
  /** Startup parameters. */
  readonly connection: StartupParameterMap
  /** Whether a query is prepared; called for every query that can be. */
  readonly prepares: () => boolean
  readonly statements: AutomaticStatements
  readonly health: SessionHealth
  /** Measures where the time of connections goes. */
  readonly insight: InsightRecorder<PostgresConnection> | undefined
  /** True if there is no pooler between the pool and PostgreSQL. */
  readonly isDirect: () => boolean
  readonly onParameterStatus: (name: string, value: string) => void
  /** Called when the server has reported a parameter after the login. */
  readonly onReported: (connection: PostgresConnection) => void
  readonly onClosed: (id: number) => void
}

/**
 * Creates an instance of postgres.js and connects it once, without sending a query: behind a pooler, a query would wait for a server
 * connection. If connecting fails, rejects with the server's error and does not retry.
 */
export async function openConnection(options: OpenOptions, context: OpenContext): Promise<PostgresConnection> {
  context.signal.throwIfAborted()
  const opening = new Opening(options, context)
  try {
    return await opening.connect()
  } catch (error) {
    opening.abort()
    throw error
  }
}

/** Thrown into the login code of postgres.js after a successful login; see {@link Opening.connect}. `query` keeps postgres.js from adding details. */
const ACCEPTED = Object.assign(new Error('the server has accepted the login'), { accepted: true, query: '' })

class Opening {
  readonly #options: OpenOptions
  readonly #context: OpenContext
  readonly #mode: InternalQueryMode = { plainRows: false, prepare: false }
  readonly #parameters: Record<string, string> = {}
  readonly #opened = Promise.withResolvers<Wire>()
  readonly #sql: Sql
  readonly #canceller: Canceller
  #socket: Socket | undefined
  #accepted = false
  #connection: PostgresConnection | undefined
  /** postgres.js calls `reserve` when the connection is ready. */
  readonly #reservation: ConnectionRequest = {
    state: null,
    reserve: (wire) => this.#opened.resolve(wire),
    reject: () => {},
  }

  constructor(options: OpenOptions, context: OpenContext) {
    this.#options = options
    this.#context = context
    this.#sql = postgres(this.#instanceOptions() as never)
    this.#canceller = queryOf(this.#sql).canceller as Canceller
  }

  /**
   * postgres.js opens a connection only for a query. `loginProbe` takes the place of that query and receives connect errors. The first
   * ParameterStatus shows that the login has succeeded; throwing ACCEPTED there makes postgres.js drop the probe. So the connection is
   * free when it is ready, and postgres.js hands it to the next request in its queue, `#reservation`, as in `sql.reserve()`.
   */
  async connect(): Promise<PostgresConnection> {
    const { handler } = queryOf(this.#sql)
    const loginProbe = { origin: '', cancelled: null, reject: (error: Error) => this.#onConnectError(error) }
    handler(loginProbe)
    handler(this.#reservation)
    const wire = await this.#opened.promise
    requireWire(wire)
    const { user, database } = parsedOptionsOf(this.#sql)
    const { endpoint } = this.#options
    const { host, port, address, path } = endpoint
    this.#connection = new PostgresConnection({
      sql: this.#sql,
      wire,
      socket: this.#socket as Socket,
      canceller: this.#canceller,
      parameters: this.#parameters,
      peer: `${path ?? `${address ?? host}:${port}`}/${database}?user=${user}`,
      endpoint,
      mode: this.#mode,
      health: this.#options.health,
      insight: this.#options.insight,
      preparer: new QueryPreparer(this.#options),
    })
    return this.#connection
  }

  abort(): void {
    this.#canceller(this.#reservation as Query)
    this.#socket?.destroy()
  }

  #onConnectError(error: Error & { accepted?: boolean }): void {
    if (error.accepted) return
    // Remove the reservation from the queue: otherwise postgres.js connects again for it.
    this.#canceller(this.#reservation as Query)
    this.#opened.reject(error)
  }

  #instanceOptions(): ParsedOptions & Record<string, unknown> {
    const { shared, endpoint, user, password, connection, prepares } = this.#options
    const mode = this.#mode
    return {
      ...shared,
      max: 1,
      host: [endpoint.host],
      port: [endpoint.port],
      path: endpoint.path ?? false,
      user,
      pass: password,
      connection,
      parameters: this.#parameters,
      transform: withoutInternalRows(shared.transform, mode),
      get prepare() {
        return mode.prepare || prepares()
      },
      // The pool or the connection factory handles these.
      ssl: false,
      idle_timeout: null,
      max_lifetime: null,
      connect_timeout: 0,
      fetch_types: false,
      target_session_attrs: null,
      no_subscribe: true,
      socket: () => this.#dial(),
      onparameter: (name: string, value: string) => this.#onParameterStatus(name, value),
      onclose: (id: number) => this.#onClosed(id),
    }
  }

  /**
   * postgres.js calls this for every socket: first for the connection, later for cancel requests. A second call during the login is a
   * reconnect attempt, which fails.
   */
  async #dial(): Promise<Socket> {
    const { endpoint, shared } = this.#options
    if (this.#connection) {
      const socket = await dial(endpoint, shared, abortAfter(CANCEL_TIMEOUT_MILLIS))
      socket.once(
        'close',
        systemClock.after(CANCEL_TIMEOUT_MILLIS, () => socket.destroy(), { background: true }),
      )
      return socket
    }
    if (this.#socket) throw closedDuringLogin()
    const { signal } = this.#context
    const socket = await dial(endpoint, shared, signal)
    this.#socket = socket
    const abort = () => socket.destroy(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.once('close', () => {
      signal.removeEventListener('abort', abort)
      if (!this.#connection) this.#onConnectError(signal.aborted ? signal.reason : closedDuringLogin())
    })
    if (signal.aborted) abort()
    return socket
  }

  #onParameterStatus(name: string, value: string): void {
    this.#options.onParameterStatus(name, value)
    if (this.#connection) this.#options.onReported(this.#connection)
    if (this.#accepted) return
    this.#accepted = true
    throw ACCEPTED
  }

  #onClosed(id: number): void {
    this.#canceller(this.#reservation as Query)
    if (!this.#connection) return
    this.#connection.onClosed()
    this.#context.lost(this.#connection.explain(closedError()))
    this.#options.onClosed(id)
  }
}

/** The user's transforms; rows of internal queries are not transformed. */
function withoutInternalRows(
  transform: ParsedOptions['transform'],
  mode: InternalQueryMode,
): ParsedOptions['transform'] {
  if (!transform.row.from) return transform
  return {
    ...transform,
    row: {
      ...transform.row,
      get from() {
        return mode.plainRows ? undefined : transform.row.from
      },
    },
  }
}

function closedDuringLogin(): Error {
  return Object.assign(new Error('The server closed the connection during login'), { code: 'ECONNRESET' })
}
