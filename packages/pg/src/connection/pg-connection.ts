import {
  type BusyConnection,
  type InsightRecorder,
  type LeaseActivity,
  type ListenTracker,
  type MeteredSession,
  type ProbedConnection,
  pause,
  type RunningQuery,
  type ServerAddress,
  type SessionMeter,
  type TextRow,
} from '@poolguard/core/adapter'
import {
  CallerAbort,
  cancelUntilAtRest,
  classifyStatementFailure,
  comesToRest,
  type SessionHealth,
} from '@poolguard/core/connection'
import { callBack } from '../call-app.ts'
import type { Reset } from '../guarded-pool-config.ts'
import { activeQueryOf, failQueuedQueries } from '../queries/client-queries.ts'
import { unwatchedQuery } from '../queries/watch-queries.ts'
import type { SentStatements } from '../statements/prepare-statements.ts'
import type { WireClient } from '../wire-client.ts'
import { cancelQuery } from './cancel-query.ts'
import { Checkout } from './checkout.ts'
import { ClientActivity } from './client-activity.ts'
import { FatalError } from './fatal-error.ts'
import { LeftListeners } from './left-listeners.ts'
import { NamedProbe } from './named-probe.ts'
import { repairClient } from './repair-client.ts'
import { ReplacedQueries } from './replaced-queries.ts'

/** Timeout for the server to close a connection on which it waits for the client. */
const TERMINATE_TIMEOUT_MILLIS = 100
const CANCEL_COPY_TIMEOUT_MILLIS = 1_000

/** Returns every value as text, regardless of its type and of the app's type parsers. */
const AS_TEXT = { getTypeParser: () => String }

export interface PgConnectionOptions {
  readonly client: WireClient
  /** Where the pool has connected, if it has a choice. */
  readonly server: ServerAddress | undefined
  readonly health: SessionHealth
  readonly clientPerCheckout: boolean
  readonly insight: InsightRecorder<PgConnection> | undefined
}

/** One connection of a pool: a pg client, and the state read from its protocol messages. */
export class PgConnection implements BusyConnection, ProbedConnection, MeteredSession {
  readonly client: WireClient
  readonly server: ServerAddress | undefined
  readonly preparesOnlyIfNeeded = false
  /** The settings that the server reports (ParameterStatus). */
  readonly parameters: Map<string, string> = new Map()
  /** True while a caller holds it. */
  leased = false
  /** The pool's events show the client of this checkout; the first caller gets it. */
  readonly firstCheckout: Checkout<PgConnection>
  readonly clientPerCheckout: boolean
  readonly replacedQueries: ReplacedQueries = new ReplacedQueries()
  /** True while the pool's event listeners run: they may query a client that is not checked out. */
  callsListeners = false
  /** The texts sent on it. */
  sent: SentStatements = { lastText: '', refusedWith: () => undefined, resend: (_refused, send) => send() }
  readonly #activity: ClientActivity
  #transactionStatus: 'I' | 'T' | 'E' = 'I'
  #onError: ((error: Error) => void) | undefined
  readonly fatalError: FatalError
  /** Measures where the time of its leases goes. */
  readonly meter: SessionMeter | undefined
  /** Whether its errors suggest that the session is broken. */
  readonly health: SessionHealth
  readonly callerAbort: CallerAbort
  /** True if pg has given up a query (`query_timeout`) that the server may still be running. */
  queryTimedOut = false
  #gathersWrites = false
  /** Undefined if every checkout returns the same object. */
  readonly #leftListeners: LeftListeners | undefined

  constructor({ client, server, health, clientPerCheckout, insight }: PgConnectionOptions) {
    this.client = client
    this.server = server
    this.meter = insight?.newMeter(this)
    this.health = health
    this.clientPerCheckout = clientPerCheckout
    this.fatalError = new FatalError(client)
    this.firstCheckout = new Checkout(this)
    this.callerAbort = new CallerAbort(this, {
      onAbort: (reason) => failQueuedQueries(client, reason),
      cancel: (timeoutMillis) => this.#cancel(timeoutMillis),
    })
    if (clientPerCheckout) this.#leftListeners = new LeftListeners(this)
    this.#activity = new ClientActivity(client, this.meter)
    client.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      this.parameters.set(parameterName, parameterValue)
    })
    client.connection.on('errorMessage', (error) => {
      if (this.callerAbort.isAborted) explainCancelled(error, this.callerAbort.reason)
      health.failed(error, this.#isLostStatement(error))
    })
    client.connection.on('readyForQuery', ({ status }) => {
      this.meter?.answered(status !== 'I')
      health.ready(status !== this.#transactionStatus)
      this.#transactionStatus = status
    })
  }

  /** The error for queries sent after the connection was lost; undefined before that. */
  rejection(): Error | undefined {
    return this.fatalError.rejection()
  }

  /** Poolers invent pids above the signed range; pg reads those as negative numbers. */
  get announcedPid(): number {
    return this.client.processID >>> 0
  }

  async askRow(text: string): Promise<TextRow | undefined> {
    const query = { text, rowMode: 'array' as const, types: AS_TEXT }
    // For several statements pg returns an array of results; the last one counts.
    const results = [await unwatchedQuery(this.client)<(string | null)[]>(query)].flat()
    return results.at(-1)?.rows[0]
  }

  async askPrepared(text: string, name: string): Promise<{ row: TextRow | undefined; name: string }> {
    const probe = new NamedProbe(name, text)
    unwatchedQuery(this.client)(probe)
    const [row] = await probe.rows
    return { row, name }
  }

  get usable(): boolean {
    return this.client._queryable && !this.client._ending
  }

  /** The checkout of the next caller. */
  nextCheckout(): Checkout<PgConnection> {
    this.#leftListeners?.begin()
    return this.firstCheckout.unused ? this.firstCheckout : new Checkout<PgConnection>(this)
  }

  /** `isClean` adds the listener again if a caller has removed it: without one, a lost connection ends the process. */
  onError(listener: (error: Error) => void): void {
    this.#onError = listener
    this.client.on('error', listener)
  }

  get inTransaction(): boolean {
    return this.#transactionStatus !== 'I'
  }

  /** True if the app's own named statement is missing or outdated on the server: pg sends only the name again. */
  #isLostStatement(error: unknown): boolean {
    const { name } = (activeQueryOf(this.client) ?? {}) as { readonly name?: unknown }
    if (!name) return false
    const failure = classifyStatementFailure(error)
    return failure === 'stale' || failure === 'lost'
  }

  get activity(): LeaseActivity {
    return this.#activity.latest
  }

  get runningQuery(): RunningQuery | undefined {
    return this.#activity.runningQuery
  }

  get runningText(): string | null {
    return this.#activity.runningText
  }

  get listening(): ListenTracker {
    return this.#activity.listening
  }

  /** The `query_timeout` of the pool's options; 0 if there is none. */
  get queryTimeoutMillis(): number {
    return Number(this.client.connectionParameters.query_timeout) || 0
  }

  /**
   * Sends a query on a connection that statements share.
   *
   * @param isBehind true if other queries are in flight: pg then sends this one without waiting for their answers.
   */
  sendShared(query: unknown, values: unknown, done: unknown, isBehind: boolean): void {
    const { client } = this
    if (isBehind) client.pipeline = true
    this.#gatherWrites()
    const parameters = client.connectionParameters as { query_timeout?: number | false }
    const { query_timeout: timeout } = parameters
    // pg would close the connection when the timeout of one query expires.
    if (timeout) parameters.query_timeout = false
    try {
      ;(client.query as (...query: unknown[]) => unknown)(query, values, done)
    } finally {
      if (timeout) parameters.query_timeout = timeout
    }
  }

  /** Callers whose answers have arrived together send their next statements together: one write to the socket is enough for them. */
  #gatherWrites(): void {
    const { stream } = this.client.connection
    if (this.#gathersWrites || !stream.cork || !stream.uncork) return
    this.#gathersWrites = true
    stream.cork()
    process.nextTick(() => {
      this.#gathersWrites = false
      stream.uncork?.()
    })
  }

  /** Called when all queries that shared the connection are answered, or given up. */
  endShared(): void {
    if (this.client.pipeline) this.client.pipeline = false
  }

  #cancel(timeoutMillis: number): Promise<boolean> {
    return cancelQuery(this.client, timeoutMillis, this.server?.address)
  }

  /** The caller has released the connection. True if it needs no reset before the next caller gets it. */
  isClean(reset: Reset): boolean {
    this.#leftListeners?.end()
    if (this.#onError && this.client.listenerCount('error') === 0) this.client.on('error', this.#onError)
    return this.client.readyForQuery && reset !== 'discard' && (reset === 'off' || !this.inTransaction)
  }

  /** Waits for queries in flight, then resets the session. Resolves to false if the connection must be closed. */
  async reset(reset: Reset, leftInTransaction: (lastText: string) => void): Promise<boolean> {
    if (this.queryTimedOut && !this.client.readyForQuery) return false
    if (!(this.isAtRest || (await comesToRest(this))) || !repairClient(this.client)) return false
    if (!this.usable || reset === 'off') return this.usable
    if (this.inTransaction) {
      leftInTransaction(this.sent.lastText)
      await this.client.query('ROLLBACK')
    }
    if (reset === 'discard') await this.#discard()
    return this.usable && !this.inTransaction
  }

  /** Cancels the running query, then closes the connection: a server keeps running a query after its client has disconnected. */
  async end(): Promise<void> {
    failQueuedQueries(this.client)
    const outcome = this.fatalError.hasEndedSession
      ? 'at-rest'
      : await cancelUntilAtRest(this, async (timeoutMillis) => {
          await this.#cancel(timeoutMillis)
        })
    if (outcome === 'waits-for-client') return await this.#terminate()
    // In a pipeline, pg would wait for the answers to all queries before it says goodbye.
    this.endShared()
    const { stream } = this.client.connection
    // The answers cannot be read. With the socket closed, the server's next write fails, which ends the query.
    if (this.isUnread) stream.destroy()
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    // pg waits for an event whose listener a caller may have removed.
    await Promise.race([callBack(this.client, 'end'), closed])
  }

  /** Closes a connection on which the server waits for the client, as pg closes an idle one. */
  async #terminate(): Promise<void> {
    const { connection } = this.client
    const { stream } = connection
    if (stream.closed) return
    // Otherwise pg reports the close as a lost connection.
    this.client._ending = true
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.resume()
    connection.end()
    await Promise.race([closed, pause(TERMINATE_TIMEOUT_MILLIS, { background: true })])
    // The server may still be processing the data of a COPY.
    if (!stream.closed) void this.#cancel(CANCEL_COPY_TIMEOUT_MILLIS)
    stream.destroy()
    await closed
  }

  get isAtRest(): boolean {
    return this.client.readyForQuery || !this.usable
  }

  get waitsForClient(): boolean {
    return this.#activity.waitsForClient
  }

  get isUnread(): boolean {
    return this.#activity.isUnread
  }

  get bytes(): number {
    return this.#activity.bytes
  }

  async #discard(): Promise<void> {
    await this.client.query('DISCARD ALL')
    this.client.connection.parsedStatements = {}
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isAtRest) return resolve()
      const onSettled = () => {
        this.client.off('drain', onSettled)
        this.client.off('end', onSettled)
        resolve()
      }
      this.client.on('drain', onSettled)
      this.client.on('end', onSettled)
    })
  }
}

/** SQLSTATE of a statement that was cancelled. */
const QUERY_CANCELED = '57014'

/** The server's error says only that the statement was cancelled; its cause says why. */
function explainCancelled(error: unknown, reason: unknown): void {
  const cancelled = error as { code?: unknown; cause?: unknown }
  if (cancelled.code === QUERY_CANCELED) cancelled.cause ??= reason
}
