import type { QueryAfterReleaseError } from '@poolguard/core'
import {
  type AcquireOptions,
  type CallerMistakes,
  effectiveSignal,
  isOfHook,
  type Lease,
  type PoolGuard,
  type Route,
  untilAborted,
} from '@poolguard/core/adapter'
import type { PoolClient, QueryResult } from 'pg'
import type { CheckoutPool } from '../connection/checkout.ts'
import type { PgConnection } from '../connection/pg-connection.ts'
import type { PoolEvents } from './pool-events.ts'
import { runQuery, withCallersStack } from './run-query.ts'
import type { SharedQueries } from './shared-queries.ts'

/** The advice if `pool.query` gets a statement that needs its own session: each `pool.query` may run on a different connection. */
export const TRANSACTION_ADVICE: string =
  "Run the whole transaction on one client: const client = await pool.connect(), client.query('BEGIN'), your statements, client.query('COMMIT'), then client.release(). " +
  'With an ORM, use its transaction method: db.transaction (Drizzle), dataSource.transaction (TypeORM), prisma.$transaction (Prisma).'

/** pg-pool's message. */
const RELEASED_TWICE = 'Release called on client which has already been released to the pool.'

/** SQLSTATE read_only_sql_transaction. */
const READ_ONLY_TRANSACTION = '25006'

const QUERY_REPLACED_OFTEN =
  'Callers keep wrapping the query method of one connection, each wrapper around the previous one. The cause is usually code that ' +
  'remembers wrapped clients by object (in a WeakSet, for example): each checkout has a new client object. Wrap query in a listener of the ' +
  "pool's connect event, or set clientPerCheckout: false to get the same object at every checkout, as from pg.Pool."

/** The options of `pool.connect`, and those of a query object that are not the query's own. */
interface CheckoutOptions {
  /** When it is aborted, the caller leaves the queue, and statements on the connection are cancelled. */
  readonly signal?: AbortSignal | undefined
  readonly lane?: string | undefined
  readonly on?: 'primary' | 'replica' | undefined
}

/** Acquires a client in another way. */
type Connect = (options: CheckoutOptions | undefined, route: Route | undefined) => Promise<PoolClient>

/** Acquires and releases connections for `pool.connect` and `pool.query`. */
export class Checkouts implements CheckoutPool<PgConnection> {
  readonly #guard: PoolGuard<PgConnection>
  readonly #mistakes: CallerMistakes<PgConnection>
  readonly #events: PoolEvents
  /** Set once the pool opens its first connection: before that, there is no connection to share. */
  shared: SharedQueries | undefined

  constructor(guard: PoolGuard<PgConnection>, events: PoolEvents) {
    this.#guard = guard
    this.#mistakes = guard.mistakes
    this.#events = events
  }

  // `acquire` and `query` both await the engine directly: a shared async function would add a microtask to every checkout.

  /** Acquires a connection and returns a client for it; `client.release()` releases the connection. */
  async acquire(options?: CheckoutOptions, route: Route | undefined = options): Promise<PoolClient> {
    const lane = options?.lane
    const signal = effectiveSignal(options?.signal)
    let lease: Lease<PgConnection>
    try {
      lease = await this.#guard.acquire(acquireOptions(signal, lane), route)
    } catch (error) {
      throw isReasonOf(signal, error) ? error : addCallersStack(error)
    }
    if (signal) rejectAborted(signal, lease)
    const { resource: connection } = lease
    const checkout = connection.nextCheckout()
    checkout.begin(lease, this)
    this.#begin(lease)
    // A statement that does not end is left to the release: the caller still has the client.
    if (signal) connection.callerAbort.watch(signal, () => {})
    return checkout.client
  }

  /**
   * Acquires a connection, runs one query on it and releases the connection.
   *
   * @param connect acquires the client instead. By default the query needs no client of its own, because no caller sees it.
   */
  async query(text: unknown, values: unknown, connect: Connect | undefined): Promise<QueryResult> {
    const rejection = this.#mistakes.transactions.check(textOf(text), TRANSACTION_ADVICE)
    if (rejection) throw withCallersStack(rejection)
    const own = optionsOf(text)
    const { routing } = this.#guard
    if (!routing) return this.#query(text, values, own, connect)
    const route = { text: textOf(text), on: own?.on }
    try {
      return await this.#query(text, values, own, connect, route)
    } catch (error) {
      if ((error as { code?: unknown }).code === READ_ONLY_TRANSACTION) routing.onReadOnly(route.text)
      throw error
    }
  }

  /** @param route set if the query may go to a replica. */
  async #query(
    text: unknown,
    values: unknown,
    own: CheckoutOptions | undefined,
    connect: Connect | undefined,
    route?: Route,
  ): Promise<QueryResult> {
    const signal = effectiveSignal(own?.signal)
    const lane = own?.lane
    if (connect) {
      const client = await connect(own, route)
      return runQuery(client, client.release, text, values)
    }
    const queries = route ? undefined : this.shared
    const shared = queries?.mayShare(lane) ? queries.run(text, values, { signal, lane }, this.query) : undefined
    if (shared) {
      try {
        return await shared
      } catch (error) {
        throw isReasonOf(signal, error) ? error : addCallersStack(error)
      }
    }
    if (signal) return this.#queryUntil({ signal, lane }, text, values, route)
    let lease: Lease<PgConnection>
    try {
      lease = await this.#guard.acquire(acquireOptions(undefined, lane), route)
    } catch (error) {
      throw addCallersStack(error)
    }
    this.#begin(lease)
    return runQuery(lease.resource.client, (destroy) => this.release(lease, destroy), text, values)
  }

  /** Rejects with the signal's reason as soon as the signal is aborted, and cancels the query on the server. */
  async #queryUntil(
    options: AcquireOptions & { readonly signal: AbortSignal },
    text: unknown,
    values: unknown,
    route: Route | undefined,
  ): Promise<QueryResult> {
    const { signal } = options
    let lease: Lease<PgConnection>
    try {
      lease = await this.#guard.acquire(options, route)
    } catch (error) {
      throw isReasonOf(signal, error) ? error : addCallersStack(error)
    }
    rejectAborted(signal, lease)
    this.#begin(lease)
    let released = false
    const release = (destroy: Error | boolean | undefined) => {
      if (!released) this.release(lease, destroy)
      released = true
    }
    lease.resource.callerAbort.watch(signal, () => release(true))
    return untilAborted(runQuery(lease.resource.client, release, text, values), signal)
  }

  /** The connection is lent. */
  open(connection: PgConnection): void {
    connection.leased = true
    connection.listening.reset()
  }

  #begin(lease: Lease<PgConnection>): void {
    const { resource: connection } = lease
    this.open(connection)
    try {
      this.#events.onAcquire(connection)
    } catch (error) {
      this.release(lease, undefined)
      throw error
    }
  }

  release(lease: Lease<PgConnection>, destroy: Error | boolean | undefined): void {
    const { resource: connection } = lease
    connection.leased = false
    connection.callerAbort.end()
    try {
      this.#events.onRelease(connection, destroy)
    } finally {
      if (destroy) lease.destroy()
      else lease.release()
    }
  }

  releasedTwice(lease: Lease<PgConnection>): Error {
    return this.#mistakes.releasedTwice(lease, RELEASED_TWICE)
  }

  queriedAfterRelease(lease: Lease<PgConnection>, stack: string | null): QueryAfterReleaseError | undefined {
    return this.#mistakes.queriedAfterRelease(lease, stack)
  }

  queryReplacedOften(): void {
    this.#guard.warn(QUERY_REPLACED_OFTEN)
  }
}

/** The options `signal`, `lane` and `on` of a query object; undefined if it has none of them. */
function optionsOf(query: unknown): CheckoutOptions | undefined {
  if (typeof query !== 'object' || query === null) return undefined
  const { signal, lane, on } = query as CheckoutOptions & { readonly signal?: unknown }
  if (signal instanceof AbortSignal) return { signal, lane, on }
  return lane === undefined && on === undefined ? undefined : { lane, on }
}

/** No object for the usual checkout, which has neither. */
function acquireOptions(signal: AbortSignal | undefined, lane: string | undefined): AcquireOptions | undefined {
  return signal || lane !== undefined ? { signal, lane } : undefined
}

/** A signal's reason belongs to the caller and is thrown unchanged. */
function isReasonOf(signal: AbortSignal | undefined, error: unknown): boolean {
  return signal?.aborted === true && error === signal.reason
}

/** The signal may have been aborted after the pool has lent the connection. */
function rejectAborted(signal: AbortSignal, lease: Lease<PgConnection>): void {
  if (!signal.aborted) return
  lease.release()
  throw signal.reason
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query
  const text = (query as { text?: unknown } | null | undefined)?.text
  return typeof text === 'string' ? text : ''
}

/** Errors of the app's hooks are rethrown unchanged. */
function addCallersStack(error: unknown): unknown {
  return isOfHook(error) ? error : withCallersStack(error)
}
