import {
  type Activity,
  type BusyConnection,
  cancelUntilAtRest,
  classifyStatementFailure,
  comesToRest,
  ListenTracker,
  type ProbedConnection,
  pause,
  type RunningQuery,
  type SessionHealth,
  type TextRow,
} from '@poolguard/core/adapter'
import { callBack } from '../call-app.ts'
import type { Reset } from '../guarded-pool-config.ts'
import { activeQueryOf, describeActiveQuery, failQueuedQueries, textOfQuery } from '../queries/client-queries.ts'
import { unwatchedQuery } from '../queries/watch-queries.ts'
import type { SentTexts } from '../statements/prepare-statements.ts'
import type { WireClient } from '../wire-client.ts'
import { cancelQuery } from './cancel-query.ts'
import { Checkout } from './checkout.ts'
import { FatalError } from './fatal-error.ts'
import { NamedProbe } from './named-probe.ts'
import { repairClient } from './repair-client.ts'
import { ReplacedQueries } from './replaced-queries.ts'
import { ServerTurn } from './server-turn.ts'

/** How long the server has to close a connection on which it waits for the client. */
const TERMINATE_MILLIS = 100
const CANCEL_COPY_MILLIS = 1_000

/** A value as the server writes it, whatever type it says and whatever parsers the app has set. */
const AS_TEXT = { getTypeParser: () => String }

/** One connection of a pool: a pg client, and what was seen on its wire. */
export class PgConnection implements BusyConnection, ProbedConnection {
  readonly client: WireClient
  readonly preparesOnlyIfNeeded = false
  /** What the server reported at login and since (ParameterStatus). */
  readonly parameters: Map<string, string> = new Map()
  /** Somebody has it. */
  leased = false
  /** Its client is what the pool's events show, and what the first borrower gets. */
  readonly firstCheckout: Checkout<PgConnection>
  readonly clientPerCheckout: boolean
  readonly replacedQueries: ReplacedQueries = new ReplacedQueries()
  /** True while listeners of the pool's events are called: they may query a client that nobody has. */
  tellsListeners = false
  /** What was sent on it. */
  sent: SentTexts = { lastText: '' }
  readonly listening: ListenTracker = new ListenTracker()
  #transactionStatus: 'I' | 'T' | 'E' = 'I'
  /** Answers and notifications so far. */
  #rounds = 0
  readonly #turn: ServerTurn
  #onError: ((error: Error) => void) | undefined
  readonly fatalError: FatalError
  /** What its errors say of it. */
  readonly health: SessionHealth
  /** pg has given up a query that the server is still running: see `query_timeout`. */
  queryTimedOut = false

  constructor(client: WireClient, health: SessionHealth, clientPerCheckout: boolean) {
    this.client = client
    this.health = health
    this.clientPerCheckout = clientPerCheckout
    this.fatalError = new FatalError(client)
    this.firstCheckout = new Checkout(this)
    this.#turn = new ServerTurn(client.connection)
    client.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      this.parameters.set(parameterName, parameterValue)
    })
    client.connection.on('errorMessage', (error) => health.failed(error, this.#isLostStatement(error)))
    client.connection.on('readyForQuery', ({ status }) => {
      health.ready(status !== this.#transactionStatus)
      this.#transactionStatus = status
      this.#rounds++
    })
    const textOfActive = () => textOfQuery(activeQueryOf(client))
    client.connection.on('commandComplete', ({ text }) => this.listening.completed(text, textOfActive))
    client.on('notification', () => this.#rounds++)
  }

  /** What a query must fail with that is sent after the server has ended the session. */
  refusal(): Error | undefined {
    return this.fatalError.refusal()
  }

  /** Poolers make up numbers beyond the signed range, which pg reads as negative. */
  get announcedPid(): number {
    return this.client.processID >>> 0
  }

  async askRow(text: string): Promise<TextRow | undefined> {
    const query = { text, rowMode: 'array' as const, types: AS_TEXT }
    // A text of several statements answers with an array, of which the last one counts.
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

  /** Never removed for long: a client without a listener turns the loss of its connection into the end of the process. */
  onError(listener: (error: Error) => void): void {
    this.#onError = listener
    this.client.on('error', listener)
  }

  get inTransaction(): boolean {
    return this.#transactionStatus !== 'I'
  }

  /** Whether the server has lost or outlived a statement that the app has named: pg sends only the name again. */
  #isLostStatement(error: unknown): boolean {
    const { name } = (activeQueryOf(this.client) ?? {}) as { readonly name?: unknown }
    if (!name) return false
    const failure = classifyStatementFailure(error)
    return failure === 'stale' || failure === 'lost'
  }

  /** Changes with every byte; with every answer, where the socket is one of the application's that does not count them. */
  get activity(): Activity {
    return this.bytes || this.#rounds
  }

  /** The query that the server is at; undefined where it waits for the client, or for a stream to be read. */
  get runningQuery(): RunningQuery | undefined {
    if (this.client.readyForQuery || this.isUnread || this.waitsForClient) return undefined
    return describeActiveQuery(this.client)
  }

  /** Fit for the next borrower as it is. */
  isClean(reset: Reset): boolean {
    if (this.#onError && this.client.listenerCount('error') === 0) this.client.on('error', this.#onError)
    return this.client.readyForQuery && reset !== 'discard' && (reset === 'off' || !this.inTransaction)
  }

  /** Waits for what is in flight, and undoes what was left behind. Resolves to whether that worked. */
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

  /** Ends the connection. What it is running is cancelled first: a server goes on with it long after the client has left. */
  async end(): Promise<void> {
    failQueuedQueries(this.client)
    const outcome = await cancelUntilAtRest(this, (timeoutMillis) => cancelQuery(this.client, timeoutMillis))
    if (outcome === 'waits-for-client') return await this.#terminate()
    const { stream } = this.client.connection
    // Answers cannot be read. What the server sends fails from now on, and so ends the query.
    if (this.isUnread) stream.destroy()
    const closed = new Promise<void>((resolve) => stream.once('close', resolve))
    // pg waits for an event that a borrower may have removed the listener of.
    await Promise.race([callBack(this.client, 'end'), closed])
  }

  /** Closes a connection on which the server waits for the client, as pg would one that is idle. */
  async #terminate(): Promise<void> {
    const { connection } = this.client
    const { stream } = connection
    if (stream.closed) return
    // So that pg does not take it for a loss.
    this.client._ending = true
    const closed = new Promise((resolve) => stream.once('close', resolve))
    stream.resume()
    connection.end()
    await Promise.race([closed, pause(TERMINATE_MILLIS, { background: true })])
    // It may still be at work on the data of a COPY that it was sent.
    if (!stream.closed) void cancelQuery(this.client, CANCEL_COPY_MILLIS)
    stream.destroy()
    await closed
  }

  get isAtRest(): boolean {
    return this.client.readyForQuery || !this.usable
  }

  get waitsForClient(): boolean {
    return this.#turn.isWaitingForClient
  }

  /** The socket is paused, by back-pressure or by a borrower, or read past pg, as by a COPY TO. */
  get isUnread(): boolean {
    const { stream } = this.client.connection
    return stream.isPaused() || stream.listenerCount('data') === 0
  }

  get bytes(): number {
    const { bytesRead = 0, bytesWritten = 0 } = this.client.connection.stream
    return bytesRead + bytesWritten
  }

  async #discard(): Promise<void> {
    await this.client.query('DISCARD ALL')
    this.client.connection.parsedStatements = {}
  }

  settled(): Promise<void> {
    return new Promise((resolve) => {
      if (this.isAtRest) return resolve()
      const answered = () => {
        this.client.off('drain', answered)
        this.client.off('end', answered)
        resolve()
      }
      this.client.on('drain', answered)
      this.client.on('end', answered)
    })
  }
}
