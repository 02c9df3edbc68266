import type { EventEmitter } from 'node:events'
import type { CloseReason } from '@poolguard/core'
import type { PoolClient } from 'pg'
import { callApp } from '../call-app.ts'
import type { ConnectionEvents } from '../connection/connection-factory.ts'
import type { PgConnection } from '../connection/pg-connection.ts'

/** What events need of a pg.Pool. */
export interface EventedPool extends EventEmitter {
  /** pg-pool's option `log`. */
  readonly log: (...message: unknown[]) => void
  /** pg-pool's list of clients, which others read. */
  _clients: PoolClient[]
}

/** What `log` is called with for a connection that is closed; pg-pool's own messages where it has them. */
const CLOSE_MESSAGES: Readonly<Record<CloseReason, string>> = {
  idle: 'remove idle client',
  lifetime: 'remove expired client',
  uses: 'remove expended client',
  'over-max': 'remove idle client beyond max',
  invalid: 'remove client that cannot be used again',
  lost: 'remove client whose connection was lost',
  destroyed: 'remove client released with an error',
  drain: 'remove client of the ended pool',
}

/** pg-pool's events and log messages, and its list of clients, kept as pg-pool keeps them. */
export class PoolEvents implements ConnectionEvents {
  readonly #pool: EventedPool

  constructor(pool: EventedPool) {
    this.#pool = pool
  }

  opening(client: PoolClient): void {
    this.#pool._clients.push(client)
    callApp(() => this.#pool.log('connecting new client'))
  }

  connected(client: PoolClient): void {
    callApp(() => this.#pool.log('new client connected'))
    this.#pool.emit('connect', client)
  }

  acquired(connection: PgConnection): void {
    this.#emit(connection, 'acquire', connection.firstCheckout.client)
  }

  released(connection: PgConnection, destroy: Error | boolean | undefined): void {
    this.#emit(connection, 'release', destroy, connection.firstCheckout.client)
  }

  gone(client: PoolClient, reason: CloseReason | undefined): void {
    this.#pool._clients = this.#pool._clients.filter((each) => each !== client)
    callApp(() => this.#pool.log(reason === undefined ? 'client failed to connect' : CLOSE_MESSAGES[reason]))
  }

  removed(client: PoolClient): void {
    callApp(() => this.#pool.emit('remove', client))
  }

  /** Emitted only if there is a listener: in pg-pool an idle client's error ends the process if there is none. */
  lost({ client, leased, firstCheckout }: PgConnection, error: Error): void {
    const idle = !leased && client.readyForQuery
    if (!idle || this.#pool.listenerCount('error') === 0) return
    // As in pg-pool; but not shown with the error, which may be logged.
    const own = { value: firstCheckout.client, enumerable: false, configurable: true, writable: true }
    Object.defineProperty(error, 'client', own)
    callApp(() => this.#pool.emit('error', error, firstCheckout.client))
  }

  #emit(connection: PgConnection, event: string, ...details: unknown[]): void {
    if (this.#pool.listenerCount(event) === 0) return
    connection.tellsListeners = true
    try {
      this.#pool.emit(event, ...details)
    } finally {
      connection.tellsListeners = false
    }
  }
}
