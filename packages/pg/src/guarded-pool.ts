import type { EventEmitter } from 'node:events'
import { type InspectOptions, inspect } from 'node:util'
import {
  type CloseReason,
  isOfHook,
  type Lease,
  type PoolCounts,
  PoolGuard,
  type PoolSettings,
  type PoolSnapshot,
  type ResolvedSettings,
  registerOwnCode,
} from '@poolguard/core'
import type { Pool, PoolClient, QueryResult } from 'pg'
import { callApp } from './checkout/call-app.ts'
import { Checkout, type CheckoutPool } from './checkout/checkout.ts'
import { CLOSE_MESSAGES } from './checkout/close-messages.ts'
import { ConnectionFactory } from './connection/connection-factory.ts'
import type { PgConnection } from './connection/pg-connection.ts'
import { PgDriver } from './connection/pg-driver.ts'
import { type GuardedPoolConfig, readConfig } from './guarded-pool-config.ts'
import { withCallersStack } from './queries/callers-stack.ts'
import { runQuery } from './queries/run-query.ts'
import type { WireClient } from './wire-client.ts'

registerOwnCode(new Error(), 'pg')

/** pg.Pool's class, of whichever copy of pg. */
export type PoolClass = typeof Pool

/** A pg.Pool that keeps to what the database can give, and says so. */
export interface GuardedPool extends Pool {
  /**
   * Resolves when the database has been looked at: what stands in between, what it can give, and so the pool's bounds.
   * Nothing needs to wait for it. The pool looks again by itself after the server was away; `again` asks for it now.
   *
   * @throws what connecting throws.
   */
  ready(options?: { readonly again?: boolean }): Promise<PoolSnapshot>
  /** The few figures of the snapshot that cost nothing to read. */
  readonly counts: PoolCounts
  /** What the pool looks like now. */
  snapshot(): PoolSnapshot
  /** The settings that hold, each with its reason. */
  readonly resolved: ResolvedSettings
  /** Changes how many connections may be open, whatever is measured later. Waiters are served at once, surplus goes when nobody uses it. */
  resize(bounds: Partial<Pick<PoolSettings, 'min' | 'max'>>): void
  /** Whether it lends no more: `end()` was called, or every pool of the process was closed. */
  readonly closed: boolean
  /** Closes what nobody uses now, as before a function is frozen; the pool goes on. Resolves when the server has let go of it. */
  closeIdle(): Promise<void>
}

/** The constructor of {@link GuardedPool}. */
export interface GuardedPoolClass {
  new (config?: GuardedPoolConfig): GuardedPool
  readonly prototype: GuardedPool
}

/** What is used of pg-pool; the rest is replaced. @types/pg has the counters as fields, which a subclass could not override. */
interface BasePool extends EventEmitter {
  connect(callback?: ConnectCallback): Promise<PoolClient> | undefined
  query(text: unknown): Promise<QueryResult> | undefined
  readonly Client: new (config: GuardedPoolConfig) => WireClient
  readonly Promise: PromiseConstructor
  readonly log: (...message: unknown[]) => void
  ended: boolean
  _clients: PoolClient[]
  _endCallback(): void
}

type ReleaseCallback = (destroy?: Error | boolean) => void
type ConnectCallback = (error: Error | undefined, client: PoolClient | undefined, release: ReleaseCallback) => void
type QueryCallback = (error: Error | undefined, result?: QueryResult) => void

/**
 * Makes a GuardedPool out of a pg.Pool class, always the same for the same one: a real subclass, because Prisma tests `instanceof pg.Pool` against its own
 * copy of pg, and Drizzle the class's name.
 *
 * @example
 * import pg from 'pg'
 * const GuardedPool = guardPoolClass(pg.Pool)
 * const pool = new GuardedPool({ connectionString: process.env.DATABASE_URL, instances: 6 })
 */
export function guardPoolClass(PgPool: PoolClass): GuardedPoolClass {
  const made = guardedClasses.get(PgPool) ?? makeGuardedPoolClass(PgPool)
  guardedClasses.set(PgPool, made)
  // One that is guarded already stays as it is.
  guardedClasses.set(made as unknown as PoolClass, made)
  return made
}

const TRANSACTION_ADVICE =
  "Run all of it on one client: const client = await pool.connect(), then client.query('BEGIN') and the rest, and client.release(). " +
  'With an ORM, use its own: db.transaction (Drizzle), dataSource.transaction (TypeORM), prisma.$transaction (Prisma).'

/** pg-pool's own words. */
const RELEASED_TWICE = 'Release called on client which has already been released to the pool.'

/** One for each copy of pg. */
const guardedClasses = new WeakMap<PoolClass, GuardedPoolClass>()

function makeGuardedPoolClass(PgPool: PoolClass): GuardedPoolClass {
  class GuardedPool extends (PgPool as unknown as new (config: GuardedPoolConfig) => BasePool) {
    readonly #guard: PoolGuard<PgConnection>
    readonly #checkouts: CheckoutPool

    constructor(config: GuardedPoolConfig = {}) {
      const spec = readConfig(config)
      super(spec.client)
      this.#guard = new PoolGuard(spec, (guard) => {
        const factory = new ConnectionFactory({
          config: spec.client,
          applicationName: () => guard.applicationName,
          makeClient: (clientConfig) => new this.Client(clientConfig),
          sessions: guard.sessions,
          statements: guard.statements,
          meet: (connection) => guard.meet(connection),
          opening: (client) => this.#opening(client),
          connected: (client) => this.#connected(client),
          gone: (client, reason) => this.#gone(client, reason),
          removed: (client) => callApp(() => this.emit('remove', client)),
          lost: (connection, error) => this.#lost(connection, error),
          leftInTransaction: (lastText) => {
            guard.sessions.leftInTransaction(lastText, TRANSACTION_ADVICE)
            guard.leftInTransaction()
          },
          warn: (message) => guard.warn(message),
        })
        return new PgDriver(factory, spec.client)
      })
      this.#checkouts = {
        giveBack: (lease, destroy) => this.#giveBack(lease, destroy),
        releasedTwice: (lease) => this.#guard.releasedTwice(lease, RELEASED_TWICE),
        queriedAfterRelease: (lease, stack) => this.#guard.queriedAfterRelease(lease, stack),
      }
    }

    override connect(callback?: ConnectCallback): Promise<PoolClient> | undefined {
      const client = this.#checkout()
      if (!callback) return this.#asPromised(client)
      client.then(
        (found) => process.nextTick(callback, undefined, found, found.release),
        (error) => process.nextTick(callback, error, undefined, () => {}),
      )
      return undefined
    }

    override query(text: unknown, values?: unknown, callback?: QueryCallback): Promise<QueryResult> | undefined {
      // A mistake, which pg-pool tells to that function.
      if (typeof text === 'function') return super.query(text)
      const done = typeof values === 'function' ? (values as QueryCallback) : callback
      const result = this.#run(text, typeof values === 'function' ? undefined : values)
      if (!done) return this.#asPromised(result)
      result.then(
        (found) => process.nextTick(done, undefined, found),
        (error) => process.nextTick(done, error),
      )
      return undefined
    }

    get totalCount(): number {
      return this.#guard.engine.openOrOpening
    }

    get idleCount(): number {
      return this.#guard.engine.counts.idle
    }

    get waitingCount(): number {
      return this.#guard.engine.queued
    }

    /** Connections past their lifetime never wait here to be found: they are closed when it ends. */
    get expiredCount(): number {
      return 0
    }

    ready(options?: { readonly again?: boolean }): Promise<PoolSnapshot> {
      return this.#guard.ready(options)
    }

    snapshot(): PoolSnapshot {
      return this.#guard.snapshot()
    }

    /** Where a pool is shown, a pg.Pool shows its options, and the password in the URL among them. */
    toJSON(): PoolSnapshot {
      return this.snapshot()
    }

    [inspect.custom](_depth: number, options: InspectOptions): string {
      return `${this.constructor.name} ${inspect(this.snapshot(), options)}`
    }

    get resolved(): ResolvedSettings {
      return this.#guard.resolved
    }

    resize(bounds: Partial<Pick<PoolSettings, 'min' | 'max'>>): void {
      this.#guard.resize(bounds)
    }

    get counts(): PoolCounts {
      return this.#guard.counts
    }

    get closed(): boolean {
      return this.#guard.engine.closed
    }

    closeIdle(): Promise<void> {
      return this.#guard.closeIdle()
    }

    /** Through pg-pool's `connect` where @opentelemetry/instrumentation-pg has wrapped that, so that its spans are made. */
    #checkout(): Promise<PoolClient> {
      return isInstrumented(super.connect) ? (super.connect() as Promise<PoolClient>) : this.#borrow()
    }

    /** What pg-pool's `connect` calls where no client is idle, and as far as it can see here none ever is. */
    newClient({ callback }: { callback: ConnectCallback }): void {
      this.#borrow().then(
        (client) => callback(undefined, client, client.release),
        (error) => callback(error, undefined, () => {}),
      )
    }

    _isFull(): boolean {
      return false
    }

    // Each awaits the engine itself: an async function in between would cost every checkout another turn.

    async #borrow(): Promise<PoolClient> {
      let lease: Lease<PgConnection>
      try {
        lease = await this.#guard.acquire()
      } catch (error) {
        throw asCallerSees(error)
      }
      return this.#lend(lease)
    }

    #lend(lease: Lease<PgConnection>): PoolClient {
      const { resource: connection } = lease
      const { firstCheckout } = connection
      const checkout = firstCheckout.unused ? firstCheckout : new Checkout(connection)
      checkout.begin(lease, this.#checkouts)
      this.#begin(lease)
      return checkout.client
    }

    #begin(lease: Lease<PgConnection>): void {
      const { resource: connection } = lease
      connection.leased = true
      connection.listening.reset()
      try {
        this.#tell(connection, 'acquire', connection.firstCheckout.client)
      } catch (error) {
        this.#giveBack(lease, undefined)
        throw error
      }
    }

    #giveBack(lease: Lease<PgConnection>, destroy: Error | boolean | undefined): void {
      const { resource: connection } = lease
      connection.leased = false
      try {
        this.#tell(connection, 'release', destroy, connection.firstCheckout.client)
      } finally {
        if (destroy) lease.destroy()
        else lease.release()
      }
    }

    #tell(connection: PgConnection, event: string, ...details: unknown[]): void {
      if (this.listenerCount(event) === 0) return
      connection.tellsListeners = true
      try {
        this.emit(event, ...details)
      } finally {
        connection.tellsListeners = false
      }
    }

    async #run(text: unknown, values: unknown): Promise<QueryResult> {
      const refusal = this.#guard.sessions.checkAlone(textOf(text), TRANSACTION_ADVICE)
      if (refusal) throw withCallersStack(refusal)
      if (isInstrumented(super.connect)) {
        const client = await this.#checkout()
        return runQuery(client, client.release, text, values)
      }
      // Without a checkout: the client of a single query is in no caller's hands.
      let lease: Lease<PgConnection>
      try {
        lease = await this.#guard.acquire()
      } catch (error) {
        throw asCallerSees(error)
      }
      this.#begin(lease)
      return runQuery(lease.resource.client, (destroy) => this.#giveBack(lease, destroy), text, values)
    }

    #opening(client: PoolClient): void {
      this._clients.push(client)
      callApp(() => this.log('connecting new client'))
    }

    #connected(client: PoolClient): void {
      callApp(() => this.log('new client connected'))
      this.emit('connect', client)
    }

    #gone(client: PoolClient, reason: CloseReason | undefined): void {
      this._clients = this._clients.filter((each) => each !== client)
      callApp(() => this.log(reason === undefined ? 'client failed to connect' : CLOSE_MESSAGES[reason]))
    }

    /** `Promise` is an option of pg-pool's. */
    #asPromised<T>(promise: Promise<T>): Promise<T> {
      return this.Promise === Promise ? promise : new this.Promise((resolve, reject) => promise.then(resolve, reject))
    }

    /** What pg-pool's `end` calls when it has marked the pool as ending. */
    _pulseQueue(): void {
      this.#guard.close().then(() => {
        this.ended = true
        this._endCallback()
      })
    }

    /** pg-pool lets an idle client's error end the process where nobody listens; here it is told to those who do. */
    #lost({ client, leased, firstCheckout }: PgConnection, error: Error): void {
      const idle = !leased && client.readyForQuery
      if (!idle || this.listenerCount('error') === 0) return
      // As in pg-pool; but not shown with the error, which may be logged.
      const own = { value: firstCheckout.client, enumerable: false, configurable: true, writable: true }
      Object.defineProperty(error, 'client', own)
      callApp(() => this.emit('error', error, firstCheckout.client))
    }
  }
  return GuardedPool as unknown as GuardedPoolClass
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

/** The mark that OpenTelemetry's instrumentations leave on what they have wrapped. */
function isInstrumented(method: unknown): boolean {
  return (method as { __wrapped?: boolean }).__wrapped === true
}
