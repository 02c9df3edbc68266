import { EventEmitter } from 'node:events'
import {
  type BorrowerTraces,
  findApplicationFrames,
  type Lease,
  traceAwaiting,
  traceCall,
} from '@poolguard/core/adapter'
import type { PoolClient } from 'pg'
import { answersByPromise, failQuery } from '../queries/query-style.ts'
import type { WireClient } from '../wire-client.ts'
import type { ReplacedQueries } from './replaced-queries.ts'

/** The members of a connection that a checkout uses. */
export interface CheckedOut {
  readonly client: WireClient
  /** True while the pool's event listeners run: they may query a client that is not checked out. */
  readonly callsListeners: boolean
  /** True: each checkout returns its own view of the client. False: every checkout returns the client itself. */
  readonly clientPerCheckout: boolean
  readonly replacedQueries: ReplacedQueries
}

/** The methods of a pool that a checkout calls. */
export interface CheckoutPool<Connection> {
  /** Releases the connection, or closes it if `destroy` is set. */
  release(lease: Lease<Connection>, destroy: Error | boolean | undefined): void
  /** The error for a second release. */
  releasedTwice(lease: Lease<Connection>): Error
  /** Called for a query sent after the release. Returns the error to reject it with; undefined if it may run. */
  queriedAfterRelease(lease: Lease<Connection>, stack: string | null): Error | undefined
  /** Called once if callers keep wrapping the `query` method of one connection. */
  queryReplacedOften(): void
}

/**
 * One checkout of a connection. pg-pool returns the same client object at every checkout, so a caller that releases it twice
 * releases the next caller's checkout. Here each checkout has a view of pg's client: the view has its own `release` and its own
 * released flag; everything else is read from and written to pg's client.
 *
 * With `clientPerCheckout: false` every checkout returns pg's client itself, as pg-pool does.
 */
export class Checkout<Connection extends CheckedOut> implements ProxyHandler<WireClient> {
  readonly client: PoolClient
  /** Undefined before the checkout begins. Writable, because callers wrap it. */
  release: ((destroy?: Error | boolean) => void) | undefined
  readonly #connection: Connection
  #acquired: { readonly lease: Lease<Connection>; readonly pool: CheckoutPool<Connection> } | undefined
  #released = false
  /** The methods read from the view, so that reading one twice returns the same function. */
  #methods: Map<unknown, unknown> | undefined

  constructor(connection: Connection) {
    this.#connection = connection
    const client = connection.clientPerCheckout ? new Proxy(connection.client, this) : connection.client
    this.client = client as unknown as PoolClient
  }

  /** False once the checkout has begun: the next caller gets a new one. */
  get unused(): boolean {
    return this.release === undefined
  }

  begin(lease: Lease<Connection>, pool: CheckoutPool<Connection>): void {
    this.#acquired = { lease, pool }
    this.release = (destroy) => {
      if (this.#released) throw pool.releasedTwice(lease)
      this.#released = true
      pool.release(lease, destroy)
    }
    // pg calls listeners and methods with its client as `this`, and they may call `this.release()`.
    this.#connection.client.release = this.release
  }

  get(client: WireClient, key: string | symbol, view: unknown): unknown {
    if (key === 'release') return this.release
    // Resolving a promise with the client reads `then` at each checkout.
    if (key === 'then') return undefined
    if (key === 'query') {
      if (!this.#released || this.#connection.callsListeners) return client.query
      const queryLate = (...query: unknown[]) => this.#queryLate(client, view, query, traceCall(queryLate))
      return queryLate
    }
    const value = Reflect.get(client, key)
    return isMethodOfClient(client, key, value) ? this.#method(client, value, view) : value
  }

  set(client: WireClient, key: string | symbol, value: unknown): boolean {
    if (key === 'release') return Reflect.set(this, key, value)
    if (key === 'query' && this.#connection.replacedQueries.replace(client.query, value)) {
      this.#acquired?.pool.queryReplacedOften()
    }
    return Reflect.set(client, key, value)
  }

  has(client: WireClient, key: string | symbol): boolean {
    return key === 'release' || Reflect.has(client, key)
  }

  getOwnPropertyDescriptor(client: WireClient, key: string | symbol): PropertyDescriptor | undefined {
    return Reflect.getOwnPropertyDescriptor(key === 'release' ? this : client, key)
  }

  defineProperty(client: WireClient, key: string | symbol, descriptor: PropertyDescriptor): boolean {
    return Reflect.defineProperty(key === 'release' ? this : client, key, descriptor)
  }

  /** Binds methods to pg's client, because a proxy has no access to the private members of a `Client` class. */
  #method(client: WireClient, method: Method, view: unknown): unknown {
    this.#methods ??= new Map()
    const known = this.#methods.get(method)
    if (known) return known
    const bound = (...args: unknown[]) => {
      const result = Reflect.apply(method, client, args)
      return result === client ? view : result
    }
    this.#methods.set(method, bound)
    return bound
  }

  #queryLate(client: WireClient, view: unknown, query: readonly unknown[], traces: BorrowerTraces): unknown {
    const rejection = () =>
      this.#acquired?.pool.queriedAfterRelease(
        this.#acquired.lease,
        findApplicationFrames([traces.call, traces.awaiting]),
      )
    if (!answersByPromise(query)) {
      const error = rejection()
      return error ? failQuery(error, query) : Reflect.apply(client.query, view, query)
    }
    // A microtask later the caller has awaited the promise, so its async stack is known.
    return traceAwaiting(Promise.resolve(), traces).then(() => {
      const error = rejection()
      if (error) throw error
      return Reflect.apply(client.query, view, query)
    })
  }
}

type Method = (...args: unknown[]) => unknown

/** True for methods of the `Client` class. Methods of EventEmitter need no binding: they use no private members of it. */
function isMethodOfClient(client: WireClient, key: string | symbol, value: unknown): value is Method {
  if (typeof value !== 'function' || key === 'constructor' || Object.hasOwn(client, key)) return false
  return value !== (EventEmitter.prototype as unknown as Record<string | symbol, unknown>)[key]
}
