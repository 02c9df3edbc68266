import { type InspectOptions, inspect } from 'node:util'
import type { PoolCounts, PoolSettings, PoolSnapshot, ResolvedSettings } from '@poolguard/core'
import { hideSecrets, PoolGuard, registerOwnCode } from '@poolguard/core/adapter'
import type { Pool, PoolClient, QueryResult } from 'pg'
import { Checkouts, TRANSACTION_ADVICE } from './checkout/checkouts.ts'
import { type EventedPool, PoolEvents } from './checkout/pool-events.ts'
import { ConnectionFactory } from './connection/connection-factory.ts'
import type { PgConnection } from './connection/pg-connection.ts'
import { PgDriver } from './connection/pg-driver.ts'
import { type GuardedPoolConfig, readConfig } from './guarded-pool-config.ts'
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
  ready(options?: { readonly refresh?: boolean }): Promise<PoolSnapshot>
  /** The few figures of the snapshot that cost nothing to read. */
  readonly counts: PoolCounts
  /** What the pool looks like now. */
  snapshot(): PoolSnapshot
  /** The settings that hold, each with its reason. */
  readonly settings: ResolvedSettings
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
interface BasePool extends EventedPool {
  readonly options: object
  connect(callback?: ConnectCallback): Promise<PoolClient> | undefined
  query(text: unknown): Promise<QueryResult> | undefined
  readonly Client: new (config: GuardedPoolConfig) => WireClient
  readonly Promise: PromiseConstructor
  ended: boolean
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

/** One for each copy of pg. */
const guardedClasses = new WeakMap<PoolClass, GuardedPoolClass>()

function makeGuardedPoolClass(PgPool: PoolClass): GuardedPoolClass {
  class GuardedPool extends (PgPool as unknown as new (config: GuardedPoolConfig) => BasePool) {
    readonly #guard: PoolGuard<PgConnection>
    readonly #checkouts: Checkouts

    constructor(config: GuardedPoolConfig = {}) {
      const spec = readConfig(config)
      super(spec.client)
      hideSecrets(this.options, spec.hidden)
      const events = new PoolEvents(this)
      this.#guard = new PoolGuard(spec, (guard) => {
        const factory = new ConnectionFactory({
          config: spec.client,
          applicationName: () => guard.applicationName,
          makeClient: (clientConfig) => new this.Client(clientConfig),
          sessions: guard.sessions,
          statements: guard.statements,
          events,
          meet: (connection) => guard.meet(connection),
          leftInTransaction: (lastText) => {
            guard.sessions.leftInTransaction(lastText, TRANSACTION_ADVICE)
            guard.leftInTransaction()
          },
          warn: (message) => guard.warn(message),
          secrets: spec.secrets,
        })
        return new PgDriver(factory, spec.client)
      })
      this.#checkouts = new Checkouts(this.#guard, events)
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
      const connect = isInstrumented(super.connect) ? () => this.#checkout() : undefined
      const result = this.#checkouts.query(text, typeof values === 'function' ? undefined : values, connect)
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

    ready(options?: { readonly refresh?: boolean }): Promise<PoolSnapshot> {
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

    get settings(): ResolvedSettings {
      return this.#guard.settings
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
      return isInstrumented(super.connect) ? (super.connect() as Promise<PoolClient>) : this.#checkouts.lend()
    }

    /** What pg-pool's `connect` calls where no client is idle, and as far as it can see here none ever is. */
    newClient({ callback }: { callback: ConnectCallback }): void {
      this.#checkouts.lend().then(
        (client) => callback(undefined, client, client.release),
        (error) => callback(error, undefined, () => {}),
      )
    }

    _isFull(): boolean {
      return false
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
  }
  return GuardedPool as unknown as GuardedPoolClass
}

/** The mark that OpenTelemetry's instrumentations leave on what they have wrapped. */
function isInstrumented(method: unknown): boolean {
  return (method as { __wrapped?: boolean }).__wrapped === true
}
