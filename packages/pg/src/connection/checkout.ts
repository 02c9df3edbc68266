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

/** What a checkout needs of its connection. */
export interface CheckedOut {
  readonly client: WireClient
  /** True while listeners of the pool's events are called: they may query a client that is not lent. */
  readonly tellsListeners: boolean
}

/** What a checkout needs of its pool. */
export interface CheckoutPool<Connection> {
  /** Takes the connection back, or closes it. */
  giveBack(lease: Lease<Connection>, destroy: Error | boolean | undefined): void
  /** The error for a second release. */
  releasedTwice(lease: Lease<Connection>): Error
  /** A query was sent after the release. Returns the error to fail it with, or undefined where it is to run. */
  queriedAfterRelease(lease: Lease<Connection>, stack: string | null): Error | undefined
}

/**
 * One checkout of a connection, as its borrower sees it. pg-pool lends the same object again and again, so that a caller who
 * releases it a second time releases the checkout of the next borrower. Here each checkout has a view of pg's client of its
 * own: it differs in its `release`, and knows whether it has been released; everything else that is read or written is pg's.
 */
export class Checkout<Connection extends CheckedOut> implements ProxyHandler<WireClient> {
  readonly client: PoolClient
  /** Undefined until it is lent. Writable, because callers wrap it. */
  release: ((destroy?: Error | boolean) => void) | undefined
  readonly #connection: Connection
  #lent: { readonly lease: Lease<Connection>; readonly pool: CheckoutPool<Connection> } | undefined
  #released = false

  constructor(connection: Connection) {
    this.#connection = connection
    this.client = new Proxy(connection.client, this) as unknown as PoolClient
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
  }

  get(client: WireClient, key: string | symbol, view: unknown): unknown {
    if (key === 'release') return this.release
    // Asked with every checkout, because a promise of a client is resolved with it.
    if (key === 'then') return undefined
    if (key === 'query' && this.#released && !this.#connection.tellsListeners) {
      const queryLate = (...query: unknown[]) => this.#queryLate(client, view, query, traceCall(queryLate))
      return queryLate
    }
    return Reflect.get(client, key, view)
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
