import type { InspectOptions } from 'node:util'
import type {
  PoolCounts,
  PoolInsight,
  PoolSettings,
  PoolSnapshot,
  ReplicaOptions,
  ResolvedSettings,
} from '@poolguard/core'
import {
  guardOf,
  hideSecrets,
  inspect,
  joinReplicas as joinGuards,
  joinPools,
  PoolGuard,
  type Route,
  readReplicaPolicy,
  registerOwnCode,
  runInLane,
  runWithDeadline,
  wholeMillis,
} from '@poolguard/core/adapter'
import type { Notification, PoolClient, QueryResult } from 'pg'
import { Checkouts } from './checkout/checkouts.ts'
import { type EventedPool, PoolEvents } from './checkout/pool-events.ts'
import type { PgConnection } from './connection/pg-connection.ts'
import type { ConnectOptions, GuardedPool, GuardedPoolClass, PoolClass } from './guarded-pool-api.ts'
import { type GuardedPoolConfig, readConfig } from './guarded-pool-config.ts'
import type { ChannelListeners, Listener, ListenOptions } from './listen/channel-listeners.ts'
import type { WireClient } from './wire-client.ts'

registerOwnCode(new Error(), 'pg')

/** The members of pg-pool that GuardedPool does not replace. Typed here, because @types/pg declares the counters as fields, which a subclass cannot override. */
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
 * Returns the GuardedPool class for a pg.Pool class; repeated calls return the same class. It is a real subclass, because Prisma checks
 * `instanceof pg.Pool` against its own copy of pg, and Drizzle checks the name of the class.
 *
 * @example
 * import pg from 'pg'
 * const GuardedPool = guardPoolClass(pg.Pool)
 * const pool = new GuardedPool({ connectionString: process.env.DATABASE_URL, instances: 6 })
 */
export function guardPoolClass(PgPool: PoolClass): GuardedPoolClass {
  const guarded = guardedClasses.get(PgPool) ?? makeGuardedPoolClass(PgPool)
  guardedClasses.set(PgPool, guarded)
  // Guarding a guarded class returns it unchanged.
  guardedClasses.set(guarded as unknown as PoolClass, guarded)
  return guarded
}

/** The guard of a pool, of any copy of this package. */
const GUARD: unique symbol = Symbol.for('poolguard.pg.guard')

/**
 * Makes existing pools a primary and its replicas, for libraries that choose the pool of a read themselves: what is run on a replica's pool goes to
 * another replica, or to the primary, if that replica cannot be used or lacks the caller's writes. Statements on the primary's pool stay there.
 *
 * @throws {InvalidOptionError} for an invalid option, or a pool that is not a GuardedPool.
 * @example
 * const primary = new GuardedPool({ url: process.env.DATABASE_URL })
 * joinReplicas(primary, [new GuardedPool({ url: process.env.REPLICA_URL })], { maxReplicaLagMillis: 1_000 })
 */
export function joinReplicas(
  primary: GuardedPool,
  replicas: readonly GuardedPool[],
  options: Omit<ReplicaOptions, 'replicas' | 'routeReads'> = {},
): void {
  joinPools(primary, replicas, GUARD, options)
}

/** One class for each copy of pg. */
const guardedClasses = new WeakMap<PoolClass, GuardedPoolClass>()

function makeGuardedPoolClass(PgPool: PoolClass): GuardedPoolClass {
  class GuardedPool extends (PgPool as unknown as new (config: GuardedPoolConfig) => BasePool) {
    readonly #guard: PoolGuard<PgConnection>
    readonly #checkouts: Checkouts
    readonly replicas: readonly GuardedPool[]
    /** The route of the query for which pg-pool's `connect` is being called. */
    #route: Route | undefined
    #listeners: Promise<ChannelListeners> | undefined

    constructor(config: GuardedPoolConfig = {}) {
      const spec = readConfig(config)
      super(spec.client)
      hideSecrets(this.options, spec.hidden)
      const events = new PoolEvents(this)
      const againstPipelining = reasonAgainstPipelining(config, this.Client.prototype, super.connect)
      this.#guard = new PoolGuard({ ...spec, againstPipelining }, async () => {
        const { makeDriver } = await import('./checkout/make-driver.ts')
        const makeClient = (clientConfig: GuardedPoolConfig) => new this.Client(clientConfig)
        return (connections) =>
          makeDriver({ guard: this.#guard, checkouts: this.#checkouts, spec, events, makeClient }, connections)
      })
      // Others read it there, such as attachDatabasePool of @vercel/functions; pg-pool has set its own default.
      Object.assign(this.options, { idleTimeoutMillis: wholeMillis(this.#guard.engine.settings.idleTimeoutMillis) })
      this.#checkouts = new Checkouts(this.#guard, events)
      this.replicas = spec.replicas.map((replica) => new GuardedPool(replica))
      if (this.replicas.length === 0) return
      const replicas = this.replicas.map((replica) => guardOf<PgConnection>(replica, GUARD))
      joinGuards(this.#guard, replicas, readReplicaPolicy(config), { routesReplicas: false })
    }

    get [GUARD](): PoolGuard<PgConnection> {
      return this.#guard
    }

    override connect(
      first?: ConnectOptions | ConnectCallback,
      second?: ConnectCallback,
    ): Promise<PoolClient> | undefined {
      const callback = typeof first === 'function' ? first : second
      const client = this.#checkout(typeof first === 'object' ? first : undefined)
      if (!callback) return this.#asPromised(client)
      client.then(
        (found) => process.nextTick(callback, undefined, found, found.release),
        (error) => process.nextTick(callback, error, undefined, () => {}),
      )
      return undefined
    }

    override query(text: unknown, values?: unknown, callback?: QueryCallback): Promise<QueryResult> | undefined {
      // pg-pool reports this mistake through the function.
      if (typeof text === 'function') return super.query(text)
      const done = typeof values === 'function' ? (values as QueryCallback) : callback
      const connect = isInstrumented(super.connect)
        ? (options: ConnectOptions | undefined, route: Route | undefined) => this.#checkout(options, route)
        : undefined
      const result = this.#checkouts.query(text, typeof values === 'function' ? undefined : values, connect)
      if (!done) return this.#asPromised(result)
      result.then(
        (found) => process.nextTick(done, undefined, found),
        (error) => process.nextTick(done, error),
      )
      return undefined
    }

    async listen(
      channel: string,
      onNotification: (payload: string, notification: Notification) => void,
      options?: ListenOptions,
    ): Promise<Listener> {
      // Most apps do not need it.
      this.#listeners ??= import('./listen/channel-listeners.ts').then(
        ({ ChannelListeners }) => new ChannelListeners(this.#guard),
      )
      return (await this.#listeners).listen(channel, onNotification, options)
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

    /** Always 0: connections are closed when their lifetime ends. */
    get expiredCount(): number {
      return 0
    }

    ready(options?: { readonly refresh?: boolean }): Promise<PoolSnapshot> {
      return this.#guard.ready(options)
    }

    snapshot(): PoolSnapshot {
      return this.#guard.snapshot()
    }

    insight(): PoolInsight | undefined {
      return this.#guard.insight()
    }

    /** The snapshot, because the options of a pg.Pool include the URL with its password. */
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

    /** Calls pg-pool's `connect` if @opentelemetry/instrumentation-pg has wrapped it, so that its spans are created. */
    #checkout(options?: ConnectOptions, route: Route | undefined = options): Promise<PoolClient> {
      if (!isInstrumented(super.connect)) return this.#checkouts.acquire(options, route)
      const { signal, lane } = options ?? {}
      const connect = () => {
        // pg-pool's `connect` calls `newClient` synchronously.
        this.#route = route
        try {
          return super.connect() as Promise<PoolClient>
        } finally {
          this.#route = undefined
        }
      }
      const connectInTime = signal ? () => runWithDeadline(signal, connect) : connect
      return lane === undefined ? connectInTime() : runInLane(lane, connectInTime)
    }

    /** pg-pool's `connect` calls this if it has no idle client. Here its list of idle clients is always empty. */
    newClient({ callback }: { callback: ConnectCallback }): void {
      this.#checkouts.acquire(undefined, this.#route).then(
        (client) => callback(undefined, client, client.release),
        (error) => callback(error, undefined, () => {}),
      )
    }

    _isFull(): boolean {
      return false
    }

    /** Wraps a promise in the class of pg-pool's option `Promise`. */
    #asPromised<T>(promise: Promise<T>): Promise<T> {
      return this.Promise === Promise ? promise : new this.Promise((resolve, reject) => promise.then(resolve, reject))
    }

    /** pg-pool's `end` calls this after it has marked the pool as ending. */
    _pulseQueue(): void {
      const replicas = this.replicas.filter(({ closed }) => !closed)
      Promise.all([this.#guard.close(), ...replicas.map((replica) => guardOf(replica, GUARD).close())]).then(() => {
        this.ended = true
        this._endCallback()
      })
    }
  }
  return GuardedPool as unknown as GuardedPoolClass
}

/** Why `pool.query` must not send statements behind others, whatever the server is; undefined if it may. */
function reasonAgainstPipelining(
  config: GuardedPoolConfig & { readonly pipeline?: boolean | undefined },
  client: object,
  connect: unknown,
): string | undefined {
  if (!('_pulsePipelinedQueryQueue' in client))
    return 'this version of pg has no pipeline mode (pg 8.23 and later have)'
  if (config.replicas?.length) return 'each statement of a pool with replicas is routed'
  if (config.pipeline) return 'pipeline: true of pg is set for every client'
  if (config.resetOnRelease === 'discard') return "resetOnRelease: 'discard' resets the session after each query"
  return isInstrumented(connect) ? '@opentelemetry/instrumentation-pg expects a checkout for each query' : undefined
}

/** OpenTelemetry's instrumentations set `__wrapped` on the functions they wrap. */
function isInstrumented(method: unknown): boolean {
  return (method as { __wrapped?: boolean }).__wrapped === true
}
