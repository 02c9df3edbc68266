import type { Socket } from 'node:net'
import { Stream } from 'node:stream'
import {
  type Activity,
  type BusyConnection,
  cancelUntilAtRest,
  ListenTracker,
  type ProbedConnection,
  pause,
  type RunningQuery,
  type SessionHealth,
  showStatement,
  systemClock,
  type TextRow,
} from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { type Backend, type Canceller, onReady, type Query, type Wire } from '../internals.ts'
import { textOf } from '../queries/statement-text.ts'
import { CancelRequests } from './cancel-requests.ts'
import { CopyStream } from './copy-stream.ts'
import type { Endpoint } from './dial.ts'
import { closedError, FatalErrorReader } from './fatal-error.ts'
import { guardCursor } from './guard-cursor.ts'
import { InternalQueries, type InternalQueryMode } from './internal-queries.ts'
import type { QueryPreparer } from './prepare-queries.ts'

/** How long the server has to close a connection that was terminated. */
const TERMINATE_MILLIS = 5_000
/** The same, where the server was waiting for the client. */
const TERMINATE_SUSPENDED_MILLIS = 100
/** How long a COPY that is cancelled may take to notice. */
const CANCEL_COPY_MILLIS = 50

/** What a {@link PostgresConnection} is made of, once it is open. */
export interface OpenedWire {
  /** The instance of postgres.js that has this one connection. */
  readonly sql: Sql
  readonly wire: Wire
  readonly socket: Socket
  readonly canceller: Canceller
  /** What the server reported at login and since (ParameterStatus). */
  readonly parameters: Readonly<Record<string, string>>
  readonly peer: string
  readonly endpoint: Endpoint
  readonly mode: InternalQueryMode
  readonly preparer: QueryPreparer
  readonly health: SessionHealth
}

/** One connection of a pool: an instance of postgres.js that connects once, and what is seen of it. */
export class PostgresConnection implements BusyConnection, ProbedConnection {
  readonly sql: Sql
  /** Of streams {@link waitsForClient} says so. */
  readonly isUnread = false
  /** postgres.js keeps what it has prepared, and cannot close it. */
  readonly preparesOnlyIfNeeded = true
  readonly #parameters: Readonly<Record<string, string>>
  /** Where it leads to: host, port, database and user. */
  readonly peer: string
  readonly endpoint: Endpoint
  readonly preparer: QueryPreparer
  /** Fed by whoever reserves it: nothing else can LISTEN for longer than a query. */
  readonly listening: ListenTracker = new ListenTracker()
  /** What its errors say of it. */
  readonly health: SessionHealth
  /** A transaction that is open at the release is one that postgres.js has begun and should have ended, and no fault of the borrower. */
  endsTransactions = false
  readonly #socket: Socket
  readonly #internalQueries: InternalQueries
  readonly #wire: Wire
  readonly #send: (query: Query) => unknown
  readonly #makeQuery: Sql['unsafe']
  readonly #cancelRequests: CancelRequests
  readonly #copyStream: CopyStream
  readonly #fatalError: FatalErrorReader
  readonly #closed = Promise.withResolvers<void>()
  #backend: Backend | undefined
  /** What is on its way. */
  readonly #sent: Query[] = []
  #inTransaction = false
  #busy = false
  /** The server waits for us: a cursor is open, or a stream. */
  #suspended = false
  #lost = false
  /** Told when everything sent has been answered, or the connection is lost. */
  #answered: (() => void) | undefined

  constructor({ sql, wire, socket, canceller, parameters, peer, endpoint, mode, preparer, health }: OpenedWire) {
    this.sql = sql
    this.#parameters = parameters
    this.peer = peer
    this.endpoint = endpoint
    this.preparer = preparer
    this.health = health
    this.#socket = socket
    this.#wire = wire
    this.#send = wire.execute
    this.#makeQuery = sql.unsafe
    this.#internalQueries = new InternalQueries(this, sql.unsafe, mode)
    this.#cancelRequests = new CancelRequests(canceller)
    this.#copyStream = new CopyStream(socket)
    this.#fatalError = new FatalErrorReader(socket)
    this.#takeOver()
  }

  /** What the server reported at login and since (ParameterStatus). */
  get parameters(): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.#parameters))
  }

  get isAtRest(): boolean {
    return this.#lost || !this.#busy
  }

  /** A cursor is open, or a stream of COPY, whose consumer pauses the socket. */
  get waitsForClient(): boolean {
    return this.#suspended
  }

  /** Nothing can be sent any more. */
  get lost(): boolean {
    return this.#lost
  }

  /** Something was sent and is not answered yet. */
  get busy(): boolean {
    return this.#busy
  }

  /** A transaction was open when the server answered last. */
  get inTransaction(): boolean {
    return this.#inTransaction
  }

  /** The pid announced for cancelling; 0 before the first query. Poolers make up numbers beyond the signed range. */
  get announcedPid(): number {
    return (this.#backend?.pid ?? 0) >>> 0
  }

  /** Changes with every byte. */
  get activity(): Activity {
    return this.bytes
  }

  get bytes(): number {
    return this.#socket.bytesRead + this.#socket.bytesWritten
  }

  /** The query that the server is at; undefined where it waits for the client. */
  get runningQuery(): RunningQuery | undefined {
    if (!this.#busy || this.#suspended) return undefined
    const query = this.#sent.find(({ active }) => active) ?? this.#sent.at(-1)
    return query && { key: query, describe: () => showStatement(textOf(query)) }
  }

  /** Sends a query when nothing else is on its way. `answered` is called when the connection is ready for the next one, or lost. */
  run(query: Query, answered: () => void): void {
    this.#answered = () => {
      this.#answered = undefined
      answered()
    }
    this.execute(query)
    if (!this.#busy) this.#answered()
  }

  /** Sends a query behind those that were sent. True where another one may follow it at once. */
  execute(query: Query): boolean {
    if (this.#lost) {
      query.reject(this.explain(closedError()))
      return true
    }
    if (query.cancelled) return true
    this.preparer.sending(query)
    this.#watch(query)
    this.#sent.push(query)
    this.#busy = true
    const more = this.#send(query)
    this.preparer.sent(query)
    this.#backend = query.state ?? this.#backend
    return Boolean(more)
  }

  /** Calls back whenever everything sent has been answered, until told otherwise. */
  onAnswered(answered: (() => void) | undefined): void {
    this.#answered = answered
  }

  /** Runs a text of our own, of one statement or several, and answers the rows as they came. */
  ask(text: string): Promise<readonly TextRow[]> {
    return this.#internalQueries.ask(text)
  }

  async askRow(text: string): Promise<TextRow | undefined> {
    return (await this.ask(text))[0]
  }

  /** As {@link InternalQueries.askNamed}. */
  askNamed(text: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    return this.#internalQueries.askNamed(text)
  }

  /** As {@link InternalQueries.askPrepared}. */
  askPrepared(text: string): Promise<{ readonly row: TextRow; readonly name: string }> {
    return this.#internalQueries.askPrepared(text)
  }

  /** Waits until what was sent has been answered, and for the requests to cancel, which must not hit whatever comes next. */
  async settled(): Promise<void> {
    while (this.cancelling && !this.#lost) await Promise.race([this.#cancelRequests.next(), this.#closed.promise])
    if (!this.#busy || this.#lost) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const before = this.#answered
    const wait = () => {
      before?.()
      if (this.#busy && !this.#lost) return
      if (this.#answered === wait) this.#answered = before
      resolve()
    }
    this.#answered = wait
    await promise
  }

  /** A request to cancel is on its way. */
  get cancelling(): boolean {
    return this.#cancelRequests.arePending
  }

  /** Closes it; resolves when the server has hung up. What runs is cancelled first: a server goes on with it for long. */
  async close(): Promise<void> {
    await cancelUntilAtRest(this, () => this.#cancelRunning())
    const millis = this.#suspended ? TERMINATE_SUSPENDED_MILLIS : TERMINATE_MILLIS
    if (this.#copyStream.isOpen) await this.#endCopy()
    else if (!this.#lost) this.#wire.terminate()
    const cancelTimeout = systemClock.after(millis, () => this.#socket.destroy())
    await this.#closed.promise
    cancelTimeout()
  }

  /** A server in the middle of a COPY does not read a farewell. One that gathers data would go on with that. */
  async #endCopy(): Promise<void> {
    if (this.#copyStream.isReadable) {
      this.#cancelRunning()
      await Promise.race([this.#cancelRequests.next(), pause(CANCEL_COPY_MILLIS, { background: true })])
    }
    this.#socket.destroy()
  }

  /** Whatever runs: postgres.js' canceller takes any query that is active on the backend. */
  #cancelRunning(): void {
    this.#cancelRequests.send({ state: this.#backend, active: true } as Query)
  }

  /** It keeps no process alive. */
  unref(): void {
    this.#socket.unref()
  }

  /** postgres.js has seen it close, and told the queries; but not those sent after an error of the socket. */
  closed(): void {
    this.#lost = true
    this.#busy = false
    this.#closed.resolve()
    for (const query of this.#sent.splice(0)) query.reject(closedError())
    this.#answered?.()
  }

  /** For an error that says only that the connection was closed: what the server said before it hung up. */
  explain(error: unknown): unknown {
    const { code } = (error ?? {}) as { code?: unknown }
    if (code !== 'CONNECTION_CLOSED') return error
    const said = this.#fatalError.read()
    return said ? Object.assign(new this.sql.PostgresError(said as never), { cause: error }) : error
  }

  /** From now on everything that postgres.js sends on it goes through {@link execute}, and it tells whenever it is ready. */
  #takeOver(): void {
    const wire = this.#wire
    wire.execute = (query) => this.execute(query)
    // A transaction of postgres.js begins with this, and its handler would look for a connection that is free.
    this.sql.unsafe = ((...args: Parameters<Sql['unsafe']>) => {
      const query = this.#makeQuery(...args) as unknown as Query
      query.handler = (made) => this.execute(made as Query)
      return query
    }) as unknown as Sql['unsafe']
    onReady(wire, (inTransaction) => this.#ready(inTransaction))
  }

  #ready(inTransaction: boolean): void {
    this.#sent.length = 0
    this.health.ready(inTransaction !== this.#inTransaction)
    this.#inTransaction = inTransaction
    this.#busy = false
    this.#suspended = false
    this.#copyStream.ended()
    this.#answered?.()
  }

  #watch(query: Query): void {
    query.canceller = (each) => this.#cancelRequests.send(each)
    if (query.cursorFn) {
      guardCursor(query, {
        isLost: () => this.#lost,
        suspended: (suspended) => {
          this.#suspended = suspended
        },
        explain: (error) => {
          this.health.failed(error)
          return this.explain(error)
        },
      })
      return
    }
    const { resolve, reject } = query
    query.reject = (error) => {
      this.preparer.failed(error, query)
      this.health.failed(error)
      reject(this.explain(error))
    }
    if (!query.options.simple) return
    query.resolve = (value) => {
      if (value instanceof Stream) {
        this.#suspended = true
        this.#copyStream.opened(value)
      }
      resolve(value)
    }
  }
}
