import type { Socket } from 'node:net'
import {
  type AutomaticStatements,
  abortAfter,
  type OpenContext,
  type SessionHealth,
  type StartupParameterMap,
  systemClock,
} from '@poolguard/core/adapter'
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

/** How long the socket of a request to cancel may live. PgBouncer 1.18 dies of one that is closed before it has answered. */
const CANCEL_MILLIS = 5_000

export interface OpenOptions {
  /** The facade's. Connections share its parsers and serializers, which an ORM may change at any time. */
  readonly shared: ParsedOptions
  readonly endpoint: Endpoint
  readonly password: string
  /** Startup parameters. */
  readonly connection: StartupParameterMap
  /** Asked for every query that can be prepared. */
  readonly prepares: () => boolean
  readonly statements: AutomaticStatements
  readonly health: SessionHealth
  /** Whether nothing stands between here and PostgreSQL. */
  readonly isDirect: () => boolean
  readonly reported: (name: string, value: string) => void
  readonly closed: (id: number) => void
}

/**
 * Opens one instance of postgres.js with one connection, without sending a query: behind a pooler that would wait for a
 * server. Fails once, with the server's own error, and nothing is tried again.
 */
export async function openConnection(options: OpenOptions, context: OpenContext): Promise<PostgresConnection> {
  context.signal.throwIfAborted()
  const opening = new Opening(options, context)
  try {
    return await opening.connect()
  } catch (error) {
    opening.giveUp()
    throw error
  }
}

/** Thrown into the login of postgres.js when that has succeeded: see {@link Opening.connect}. With `query`, nothing is added to it. */
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
  /** What postgres.js tells when the connection is ready. */
  readonly #seat: ConnectionRequest = {
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
   * postgres.js opens a connection for a query. What it is given here is not one, but is told of failures like one. When
   * the login has succeeded, which the first ParameterStatus shows, it is taken away again by an error thrown in the right
   * place. So the connection is free when it is ready, and goes to whoever is next in line, as `sql.reserve()` does it.
   */
  async connect(): Promise<PostgresConnection> {
    const { handler } = queryOf(this.#sql)
    const herald = { origin: '', cancelled: null, reject: (error: Error) => this.#refused(error) }
    handler(herald)
    handler(this.#seat)
    const wire = await this.#opened.promise
    requireWire(wire)
    const { user, database } = parsedOptionsOf(this.#sql)
    const { endpoint } = this.#options
    const { host, port, path } = endpoint
    this.#connection = new PostgresConnection({
      sql: this.#sql,
      wire,
      socket: this.#socket as Socket,
      canceller: this.#canceller,
      parameters: this.#parameters,
      peer: `${path ?? `${host}:${port}`}/${database}?user=${user}`,
      endpoint,
      mode: this.#mode,
      health: this.#options.health,
      preparer: new QueryPreparer(this.#options),
    })
    return this.#connection
  }

  giveUp(): void {
    this.#canceller(this.#seat as Query)
    this.#socket?.destroy()
  }

  #refused(error: Error & { accepted?: boolean }): void {
    if (error.accepted) return
    // Out of the line, or postgres.js connects again for it.
    this.#canceller(this.#seat as Query)
    this.#opened.reject(error)
  }

  #instanceOptions(): ParsedOptions & Record<string, unknown> {
    const { shared, endpoint, password, connection, prepares } = this.#options
    const mode = this.#mode
    return {
      ...shared,
      max: 1,
      host: [endpoint.host],
      port: [endpoint.port],
      path: endpoint.path ?? false,
      pass: password,
      connection,
      parameters: this.#parameters,
      transform: plainOnDemand(shared.transform, mode),
      get prepare() {
        return mode.prepare || prepares()
      },
      // What follows is done by the pool, or by the factory.
      ssl: false,
      idle_timeout: null,
      max_lifetime: null,
      connect_timeout: 0,
      fetch_types: false,
      target_session_attrs: null,
      no_subscribe: true,
      socket: () => this.#dial(),
      onparameter: (name: string, value: string) => this.#reported(name, value),
      onclose: (id: number) => this.#closed(id),
    }
  }

  /** The first one is for the connection, later ones are for requests to cancel; until then postgres.js would only try again. */
  async #dial(): Promise<Socket> {
    const { endpoint, shared } = this.#options
    if (this.#connection) {
      const socket = await dial(endpoint, shared, abortAfter(CANCEL_MILLIS))
      socket.once(
        'close',
        systemClock.after(CANCEL_MILLIS, () => socket.destroy(), { background: true }),
      )
      return socket
    }
    if (this.#socket) throw hungUp()
    const { signal } = this.#context
    const socket = await dial(endpoint, shared, signal)
    this.#socket = socket
    const abort = () => socket.destroy(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    socket.once('close', () => {
      signal.removeEventListener('abort', abort)
      if (!this.#connection) this.#refused(signal.aborted ? signal.reason : hungUp())
    })
    if (signal.aborted) abort()
    return socket
  }

  #reported(name: string, value: string): void {
    this.#options.reported(name, value)
    if (this.#accepted) return
    this.#accepted = true
    throw ACCEPTED
  }

  #closed(id: number): void {
    this.#canceller(this.#seat as Query)
    if (!this.#connection) return
    this.#connection.closed()
    this.#context.lost(this.#connection.explain(closedError()))
    this.#options.closed(id)
  }
}

/** The user's transforms, but for the rows of queries of our own. */
function plainOnDemand(transform: ParsedOptions['transform'], mode: InternalQueryMode): ParsedOptions['transform'] {
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

function hungUp(): Error {
  return Object.assign(new Error('The server closed the connection during login'), { code: 'ECONNRESET' })
}
