import type { QueryAfterReleaseError } from '@poolguard/core'
import { isOfHook, type Lease, type PoolGuard } from '@poolguard/core/adapter'
import type { PoolClient, QueryResult } from 'pg'
import { Checkout, type CheckoutPool } from '../connection/checkout.ts'
import type { PgConnection } from '../connection/pg-connection.ts'
import type { PoolEvents } from './pool-events.ts'
import { runQuery, withCallersStack } from './run-query.ts'

/** The advice for a statement that depends on its session, where each query may run on another connection. */
export const TRANSACTION_ADVICE: string =
  "Run all of it on one client: const client = await pool.connect(), then client.query('BEGIN') and the rest, and client.release(). " +
  'With an ORM, use its own: db.transaction (Drizzle), dataSource.transaction (TypeORM), prisma.$transaction (Prisma).'

/** pg-pool's own message. */
const RELEASED_TWICE = 'Release called on client which has already been released to the pool.'

const QUERY_REPLACED_OFTEN =
  'Borrowers have replaced the query method of a connection again and again, each on top of the last. Code that marks the clients it has ' +
  'wrapped by object, in a WeakSet for example, meets a new object at each checkout. Wrap query where the pool emits connect, or set ' +
  'clientPerCheckout: false to get the same object each time, as from pg.Pool.'

/** Lends a pool's connections, for `pool.connect` and for `pool.query`, and takes them back. */
export class Checkouts implements CheckoutPool<PgConnection> {
  readonly #guard: PoolGuard<PgConnection>
  readonly #events: PoolEvents

  constructor(guard: PoolGuard<PgConnection>, events: PoolEvents) {
    this.#guard = guard
    this.#events = events
  }

  // `lend` and `query` each await the engine themselves: an async function in between would cost every checkout another turn.

  /** Lends a client until its `release` is called. */
  async lend(): Promise<PoolClient> {
    let lease: Lease<PgConnection>
    try {
      lease = await this.#guard.acquire()
    } catch (error) {
      throw asCallerSees(error)
    }
    const { resource: connection } = lease
    const { firstCheckout } = connection
    const checkout = firstCheckout.unused ? firstCheckout : new Checkout(connection)
    checkout.begin(lease, this)
    this.#begin(lease)
    return checkout.client
  }

  /**
   * Runs one query on a connection of its own.
   *
   * @param connect where the client comes from instead, with a `release` of its own. Without it there is no checkout: no caller
   * ever has the client of a single query.
   */
  async query(text: unknown, values: unknown, connect: (() => Promise<PoolClient>) | undefined): Promise<QueryResult> {
    const refusal = this.#guard.sessions.checkAlone(textOf(text), TRANSACTION_ADVICE)
    if (refusal) throw withCallersStack(refusal)
    if (connect) {
      const client = await connect()
      return runQuery(client, client.release, text, values)
    }
    let lease: Lease<PgConnection>
    try {
      lease = await this.#guard.acquire()
    } catch (error) {
      throw asCallerSees(error)
    }
    this.#begin(lease)
    return runQuery(lease.resource.client, (destroy) => this.giveBack(lease, destroy), text, values)
  }

  #begin(lease: Lease<PgConnection>): void {
    const { resource: connection } = lease
    connection.leased = true
    connection.listening.reset()
    try {
      this.#events.acquired(connection)
    } catch (error) {
      this.giveBack(lease, undefined)
      throw error
    }
  }

  giveBack(lease: Lease<PgConnection>, destroy: Error | boolean | undefined): void {
    const { resource: connection } = lease
    connection.leased = false
    try {
      this.#events.released(connection, destroy)
    } finally {
      if (destroy) lease.destroy()
      else lease.release()
    }
  }

  releasedTwice(lease: Lease<PgConnection>): Error {
    return this.#guard.releasedTwice(lease, RELEASED_TWICE)
  }

  queriedAfterRelease(lease: Lease<PgConnection>, stack: string | null): QueryAfterReleaseError | undefined {
    return this.#guard.queriedAfterRelease(lease, stack)
  }

  queryReplacedOften(): void {
    this.#guard.warn(QUERY_REPLACED_OFTEN)
  }
}

function textOf(query: unknown): string {
  if (typeof query === 'string') return query
  const text = (query as { text?: unknown } | null | undefined)?.text
  return typeof text === 'string' ? text : ''
}

/** Errors of the app's own hooks pass through as they are. */
function asCallerSees(error: unknown): unknown {
  return isOfHook(error) ? error : withCallersStack(error)
}
