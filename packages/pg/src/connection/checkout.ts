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

/** What a checkout needs of its connection. */
export interface CheckedOut {
  readonly client: WireClient
  /** True while listeners of the pool's events are called: they may query a client that is not lent. */
  readonly tellsListeners: boolean
  /** Each checkout lends a view of the client; else they all lend the client itself. */
  readonly clientPerCheckout: boolean
  readonly replacedQueries: ReplacedQueries
}

/** What a checkout needs of its pool. */
export interface CheckoutPool<Connection> {
  /** Takes the connection back, or closes it. */
  giveBack(lease: Lease<Connection>, destroy: Error | boolean | undefined): void
  /** The error for a second release. */
  releasedTwice(lease: Lease<Connection>): Error
  /** A query was sent after the release. Returns the error to fail it with, or undefined where it is to run. */
  queriedAfterRelease(lease: Lease<Connection>, stack: string | null): Error | undefined
  /** Borrower after borrower has replaced the `query` of one connection, each on top of the last. */
  queryReplacedOften(): void
}

/**
 * One checkout of a connection. pg-pool lends the same object again and again, so a caller that releases it a second time
 * releases the checkout of the next borrower. Here each checkout has a view of pg's client: the view has its own `release`
 * and knows whether it was released; everything else is read from and written to pg's client.
 *
 * With `clientPerCheckout: false` every checkout lends pg's client itself, as pg-pool does.
 */
export class Checkout<Connection extends CheckedOut> implements ProxyHandler<WireClient> {
  readonly client: PoolClient
  /** Undefined until it is lent. Writable, because callers wrap it. */
  release: ((destroy?: Error | boolean) => void) | undefined
  readonly #connection: Connection
  #lent: { readonly lease: Lease<Connection>; readonly pool: CheckoutPool<Connection> } | undefined
  #released = false
  /** The methods that were read from the view, so that each is the same function every time. */
  #methods: Map<unknown, unknown> | undefined

  constructor(connection: Connection) {
    this.#connection = connection
    const client = connection.clientPerCheckout ? new Proxy(connection.client, this) : connection.client
    this.client = client as unknown as PoolClient
  }

  /** False once it has been lent: the next borrower gets another one. */
  get unused(): boolean {
    return this.release === undefined
  }

  begin(lease: Lease<Connection>, pool: CheckoutPool<Connection>): void {
    this.#lent = { lease, pool }
    this.release = (destroy) => {
      if (this.#released) throw pool.releasedTwice(lease)
      this.#released = true
      pool.giveBack(lease, destroy)
    }
    // pg calls listeners and methods with its own client as `this`, and they may release it.
    this.#connection.client.release = this.release
  }

  get(client: WireClient, key: string | symbol, view: unknown): unknown {
    if (key === 'release') return this.release
    // Read at each checkout, because a promise is resolved with the client.
    if (key === 'then') return undefined
    if (key === 'query') {
      if (!this.#released || this.#connection.tellsListeners) return client.query
      const queryLate = (...query: unknown[]) => this.#queryLate(client, view, query, traceCall(queryLate))
      return queryLate
    }
    const value = Reflect.get(client, key)
    return isMethodOfClient(client, key, value) ? this.#method(client, value, view) : value
  }

  set(client: WireClient, key: string | symbol, value: unknown): boolean {
    if (key === 'release') return Reflect.set(this, key, value)
    if (key === 'query' && this.#connection.replacedQueries.replace(client.query, value)) {
      this.#lent?.pool.queryReplacedOften()
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

  /** Called with pg's client, because the private members of a `Client` class are not found on a proxy. */
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
    const refusal = () =>
      this.#lent?.pool.queriedAfterRelease(this.#lent.lease, findApplicationFrames([traces.call, traces.awaiting]))
    if (!answersByPromise(query)) {
      const error = refusal()
      return error ? failQuery(error, query) : Reflect.apply(client.query, view, query)
    }
    // A moment later, when it is known who awaits it.
    return traceAwaiting(Promise.resolve(), traces).then(() => {
      const error = refusal()
      if (error) throw error
      return Reflect.apply(client.query, view, query)
    })
  }
}

type Method = (...args: unknown[]) => unknown

/** Whether a member is a method of a `Client` class. Those of EventEmitter and Object do without its private members. */
function isMethodOfClient(client: WireClient, key: string | symbol, value: unknown): value is Method {
  if (typeof value !== 'function' || key === 'constructor' || Object.hasOwn(client, key)) return false
  return value !== (EventEmitter.prototype as unknown as Record<string | symbol, unknown>)[key]
}
