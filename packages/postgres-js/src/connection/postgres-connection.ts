import type { Socket } from 'node:net'
import { Stream } from 'node:stream'
import {
  type BusyConnection,
  type InsightRecorder,
  type LeaseActivity,
  ListenTracker,
  type MeteredSession,
  type ProbedConnection,
  type RunningQuery,
  type SessionMeter,
  showStatement,
  systemClock,
  type TextRow,
} from '@poolguard/core/adapter'
import { CallerAbort, cancelUntilAtRest, type SessionHealth } from '@poolguard/core/connection'
import type { Sql } from 'postgres'
import { type Backend, type Canceller, onReady, type Query, type Wire } from '../internals.ts'
import { statementKeyOf, textOf } from '../queries/statement-text.ts'
import { CancelRequests } from './cancel-requests.ts'
import { CopyStream } from './copy-stream.ts'
import type { Endpoint } from './dial.ts'
import { closedError, FatalErrorReader } from './fatal-error.ts'
import { guardCursor } from './guard-cursor.ts'
import { InternalQueries, type InternalQueryMode } from './internal-queries.ts'
import type { QueryPreparer } from './prepare-queries.ts'
import { SentQueries } from './sent-queries.ts'

/** Timeout for the server to close a connection after Terminate. */
const TERMINATE_TIMEOUT_MILLIS = 5_000
/** The same timeout if the server was waiting for the client. */
const TERMINATE_SUSPENDED_TIMEOUT_MILLIS = 100
/** Timeout for the cancel request of a COPY to arrive. */
const CANCEL_COPY_TIMEOUT_MILLIS = 50

/** The parts of an open {@link PostgresConnection}. */
export interface OpenedWire {
  /** The instance of postgres.js whose only connection this is. */
  readonly sql: Sql
  readonly wire: Wire
  readonly socket: Socket
  readonly canceller: Canceller
  /** The settings that the server reports (ParameterStatus). */
  readonly parameters: Readonly<Record<string, string>>
  readonly peer: string
  readonly endpoint: Endpoint
  readonly mode: InternalQueryMode
  readonly preparer: QueryPreparer
  readonly health: SessionHealth
  readonly insight: InsightRecorder<PostgresConnection> | undefined
}

/** One connection of a pool: an instance of postgres.js that connects once, and the state of its connection. */
export class PostgresConnection implements BusyConnection, ProbedConnection, MeteredSession {
  readonly sql: Sql
  /** Always false: {@link waitsForClient} covers streams. */
  readonly isUnread = false
  /** postgres.js cannot close a prepared statement. */
  readonly preparesOnlyIfNeeded = true
  readonly #parameters: Readonly<Record<string, string>>
  /** Host, port, database and user. */
  readonly peer: string
  readonly endpoint: Endpoint
  readonly preparer: QueryPreparer
  /** Updated by `reserve()`, the only way to LISTEN for longer than one query. */
  readonly listening: ListenTracker = new ListenTracker()
  /** Whether its errors suggest that the session is broken. */
  readonly health: SessionHealth
  /** Measures where the time of its leases goes. */
  readonly meter: SessionMeter | undefined
  readonly #insight: InsightRecorder<PostgresConnection> | undefined
  /** True if postgres.js ends the transactions: then the caller is not to blame for one that is open at the release. */
  endsTransactions = false
  readonly callerAbort: CallerAbort = new CallerAbort(this, {
    cancel: (timeoutMillis) => this.#cancelWithin(timeoutMillis),
  })
  readonly #socket: Socket
  readonly #internalQueries: InternalQueries
  readonly #wire: Wire
  readonly #send: (query: Query) => unknown
  readonly #makeQuery: Sql['unsafe']
  readonly #cancelRequests: CancelRequests
  readonly #copyStream: CopyStream
  readonly #fatalError: FatalErrorReader
  /** Why the pool has closed the connection under its caller. */
  #brokenOff: Error | undefined
  readonly #closed = Promise.withResolvers<void>()
  #backend: Backend | undefined
  readonly #sent: SentQueries = new SentQueries()
  #inTransaction = false
  /** Whether postgres.js can send another query behind the last one. */
  #takesMore = true
  #sendingShared: Query | undefined
  /** True while the server waits for the client: a cursor or a stream is open. */
  #suspended = false
  #lost = false

  constructor(opened: OpenedWire) {
    const { sql, wire, socket, canceller, parameters, peer, endpoint, mode, preparer, health, insight } = opened
    this.sql = sql
    this.#insight = insight
    this.meter = insight?.newMeter(this)
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
    this.#interceptQueries()
  }

  // --- State ---------------------------------------------------------------------------------------------------------

  /** The settings that the server reports (ParameterStatus). */
  get parameters(): ReadonlyMap<string, string> {
    return new Map(Object.entries(this.#parameters))
  }

  get isAtRest(): boolean {
    return this.#lost || this.#brokenOff !== undefined || !this.busy
  }

  /** True while a cursor or a COPY stream is open. The consumer of a COPY stream pauses the socket. */
  get waitsForClient(): boolean {
    return this.#suspended
  }

  /** True if the connection is closed. */
  get lost(): boolean {
    return this.#lost
  }

  /** True while a query is in flight. */
  get busy(): boolean {
    return this.#sent.isBusy
  }

  /** True if a transaction was open at the last ReadyForQuery. */
  get inTransaction(): boolean {
    return this.#inTransaction
  }

  /** The pid for cancel requests; 0 before the first query. Poolers invent pids above the signed range. */
  get announcedPid(): number {
    return (this.#backend?.pid ?? 0) >>> 0
  }

  /** Changes with every byte. */
  get activity(): LeaseActivity {
    return this.bytes
  }

  get bytes(): number {
    return this.#socket.bytesRead + this.#socket.bytesWritten
  }

  /** The port of this end; undefined for a Unix socket. */
  get localPort(): number | undefined {
    return this.#socket.localPort
  }

  /** The query that the server is running; undefined while the server waits for the client. */
  get runningQuery(): RunningQuery | undefined {
    if (!this.busy || this.#suspended) return undefined
    const query = this.#sent.atServer
    return query && { key: query, describe: () => showStatement(textOf(query)) }
  }

  /** True while a cancel request is in flight. */
  get cancelling(): boolean {
    return this.#cancelRequests.arePending
  }

  get runningText(): string | null {
    const query = this.#sent.atServer
    return query ? textOf(query) : null
  }

  // --- Sending -------------------------------------------------------------------------------------------------------

  /** Sends a query while no other one is in flight. `onAnswered` is called when the connection is ready for the next one, or lost. */
  run(query: Query, onAnswered: () => void): void {
    this.#sent.onceAnswered(onAnswered)
    this.execute(query)
    if (!this.busy) this.#sent.notify()
  }

  /** Sends a query behind the queries in flight. Returns true if another query may be sent directly behind it. */
  execute(query: Query): boolean {
    if (this.#lost) {
      query.reject(this.explain(closedError()))
      return true
    }
    if (query.cancelled) return true
    this.preparer.beforeSend(query, this.#sendingShared === query)
    this.#watch(query)
    if (this.meter?.lease) this.#measure(query, this.meter)
    else this.meter?.sent()
    this.#sent.add(query)
    const more = this.#send(query)
    this.preparer.afterSend(query)
    this.#backend = query.state ?? this.#backend
    return Boolean(more)
  }

  #measure(query: Query, meter: SessionMeter): void {
    // The lease belongs to the caller of the query ahead.
    if (!this.#sendingShared || !this.busy) {
      const statement = this.#insight?.statementOf(statementKeyOf(query), () => textOf(query))
      if (statement) meter.callTraced(statement, query.traces)
    }
    meter.sent()
  }

  /** Whether to capture the stack of the caller that makes a query for this connection. */
  wantsStackOf(query: Query): boolean {
    return this.meter?.wantsStackOf(statementKeyOf(query)) ?? false
  }

  /** Sets the callback for whenever everything sent has been answered. */
  onAnswered(callback: () => void): void {
    this.#sent.onAnswered(callback)
  }

  /** Waits until all queries are answered and all cancel requests have arrived, which would otherwise cancel the next query. */
  async settled(): Promise<void> {
    while (this.cancelling && !this.#lost) await Promise.race([this.#cancelRequests.next(), this.#closed.promise])
    if (this.busy) await this.#sent.allAnswered()
  }

  // --- Sharing with other callers ------------------------------------------------------------------------------------

  /**
   * True if another query may be sent behind the queries in flight. postgres.js rejects the queries of a closed socket before it reports the
   * loss, and would write one that is sent meanwhile to the socket that it no longer has: an uncaught exception.
   */
  get takesMore(): boolean {
    return this.#takesMore && !this.#socket.destroyed && !this.#lost && !this.#inTransaction && !this.cancelling
  }

  /** Sends a query on a connection that statements share. */
  executeShared(query: Query): void {
    this.#sendingShared = query
    try {
      this.#takesMore = this.execute(query)
      // Otherwise postgres.js itself retries the query at the end of the pipeline, where it describes it first: a query that is sent
      // meanwhile would be answered in its place.
      query.prepared = false
    } finally {
      this.#sendingShared = undefined
    }
  }

  /** Cancels a query that no other one follows. */
  cancelShared(query: Query): void {
    this.#cancelRequests.send(query)
  }

  /**
   * True if postgres.js has just failed to send another query. It then counts that query as sent, so every later answer would go to the
   * wrong query: the connection is closed.
   */
  isSendingOther(query: Query): boolean {
    if (this.#sendingShared === undefined || this.#sendingShared === query) return false
    this.#socket.destroy()
    return true
  }

  /**
   * A query that shares the connection has its outcome.
   *
   * @param finish is called when the connection is ready for the next query: now, if others are in flight.
   */
  onSharedAnswer(query: Query, finish: () => void): void {
    this.#sent.remove(query)
    // An error of postgres.js itself settles a query before its ReadyForQuery, so another one may wait for the same moment.
    if (this.#sent.awaitsReady) this.#sent.alsoOnceAnswered(finish)
    else {
      this.health.ready(false)
      finish()
    }
  }

  // --- poolguard's own queries ---------------------------------------------------------------------------------------

  /** Runs an internal query of one or several statements. Returns untransformed rows. */
  ask(text: string): Promise<readonly TextRow[]> {
    return this.#internalQueries.ask(text)
  }

  async askRow(text: string): Promise<TextRow | undefined> {
    return (await this.ask(text))[0]
  }

  /** See {@link InternalQueries.askNamed}. */
  askNamed(text: string): Promise<readonly Readonly<Record<string, string | null>>[]> {
    return this.#internalQueries.askNamed(text)
  }

  /** See {@link InternalQueries.askPrepared}. */
  askPrepared(text: string): Promise<{ readonly row: TextRow; readonly name: string }> {
    return this.#internalQueries.askPrepared(text)
  }

  // --- Cancelling and closing ----------------------------------------------------------------------------------------

  /** Resolves to false if the server has not accepted the cancel request in time. */
  #cancelWithin(timeoutMillis: number): Promise<boolean> {
    this.#cancelRunning()
    return this.#cancelRequests.within(timeoutMillis)
  }

  /** Cancels the running query, which the server would keep running, and closes the connection. Resolves when the socket is closed. */
  async close(): Promise<void> {
    await cancelUntilAtRest(this, () => this.#cancelRunning())
    const millis = this.#suspended ? TERMINATE_SUSPENDED_TIMEOUT_MILLIS : TERMINATE_TIMEOUT_MILLIS
    if (this.#copyStream.isOpen) await this.#endCopy()
    else if (!this.#lost) this.#wire.terminate()
    const cancelTimeout = systemClock.after(millis, () => this.#socket.destroy())
    await this.#closed.promise
    cancelTimeout()
  }

  /** Ends a COPY: the server reads no Terminate message during a COPY, and a COPY TO must be cancelled or it continues. */
  async #endCopy(): Promise<void> {
    if (this.#copyStream.isReadable) await this.#cancelWithin(CANCEL_COPY_TIMEOUT_MILLIS)
    this.#socket.destroy()
  }

  /** Cancels the running query. postgres.js' canceller accepts any object that is active on the backend. */
  #cancelRunning(): void {
    this.#cancelRequests.send({ state: this.#backend, active: true } as Query)
  }

  /** Closes the connection at once; its queries fail with the error. */
  breakOff(error: Error): void {
    this.#brokenOff = error
    this.#socket.destroy(error)
  }

  /** The connection no longer keeps the process alive. */
  unref(): void {
    this.#socket.unref()
  }

  /** Called when the connection has closed. */
  onClosed(): void {
    this.#lost = true
    this.#closed.resolve()
    this.#sent.onClosed()
  }

  /** Replaces a CONNECTION_CLOSED error by what closed the connection: the pool's reason, or the FATAL error that the server sent before. */
  explain(error: unknown): unknown {
    const { code } = (error ?? {}) as { code?: unknown }
    if (code !== 'CONNECTION_CLOSED') return error
    if (this.#brokenOff) return this.#brokenOff
    const fatal = this.#fatalError.read()
    return fatal ? Object.assign(new this.sql.PostgresError(fatal as never), { cause: error }) : error
  }

  // --- Intercepting postgres.js --------------------------------------------------------------------------------------

  /** Makes postgres.js send all queries through {@link execute}, and listens for ReadyForQuery. */
  #interceptQueries(): void {
    const wire = this.#wire
    wire.execute = (query) => this.execute(query)
    // `sql.begin` sends its BEGIN through `unsafe`, whose handler would look for an idle connection.
    this.sql.unsafe = ((...args: Parameters<Sql['unsafe']>) => {
      const query = this.#makeQuery(...args) as unknown as Query
      query.handler = (handled) => this.execute(handled as Query)
      return query
    }) as unknown as Sql['unsafe']
    onReady(wire, (inTransaction) => this.#onReady(inTransaction))
  }

  #onReady(inTransaction: boolean): void {
    this.meter?.answered(inTransaction, 0)
    this.#takesMore = true
    this.health.ready(inTransaction !== this.#inTransaction)
    this.#inTransaction = inTransaction
    this.#suspended = false
    this.#copyStream.onReady()
    this.#sent.onReady()
  }

  #watch(query: Query): void {
    query.canceller = (each) => this.#cancelRequests.send(each)
    if (query.cursorFn) {
      guardCursor(query, {
        isLost: () => this.#lost,
        onSuspended: (suspended) => {
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
      this.preparer.onError(error, query)
      this.health.failed(error)
      reject(this.explain(error))
    }
    if (!query.options.simple) return
    query.resolve = (value) => {
      if (value instanceof Stream) {
        this.#suspended = true
        this.#copyStream.onOpened(value)
      }
      resolve(value)
    }
  }
}
