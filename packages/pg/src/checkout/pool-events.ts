import type { EventEmitter } from 'node:events'
import type { CloseReason } from '@poolguard/core'
import type { PoolClient } from 'pg'
import { callApp } from '../call-app.ts'
import type { ConnectionEvents } from '../connection/connection-factory.ts'
import type { PgConnection } from '../connection/pg-connection.ts'

/** The members of pg.Pool that its events and log use. */
export interface EventedPool extends EventEmitter {
  /** pg-pool's option `log`. */
  readonly log: (...message: unknown[]) => void
  /** pg-pool's list of clients, which other libraries read. */
  _clients: PoolClient[]
}

/** Log messages for closed connections: pg-pool's own where it has one. */
const CLOSE_MESSAGES: Readonly<Record<CloseReason, string>> = {
  idle: 'remove idle client',
  lifetime: 'remove expired client',
  uses: 'remove expended client',
  'over-max': 'remove idle client beyond max',
  budget: 'remove client, whose place another pool of the budget needs',
  invalid: 'remove client that failed validation or reset',
  retired: 'remove client of a server that is no longer used',
  lost: 'remove client whose connection was lost',
  destroyed: 'remove client released with an error',
  drain: 'remove client of the ended pool',
}

/** Emits pg-pool's events, writes its log messages and maintains its list of clients. */
export class PoolEvents implements ConnectionEvents {
  readonly #pool: EventedPool

  constructor(pool: EventedPool) {
    this.#pool = pool
    // A client has the user of its URL, which contains the password if the URL is malformed: a logged copy of the pool must not show it.
    Object.defineProperty(pool, '_clients', { enumerable: false })
  }

  onOpening(client: PoolClient): void {
    this.#pool._clients.push(client)
    callApp(() => this.#pool.log('connecting new client'))
  }

  onConnected(client: PoolClient): void {
    callApp(() => this.#pool.log('new client connected'))
    this.#pool.emit('connect', client)
  }

  /** Whether the app listens to checkouts. Its listeners may query the client. */
  get hasCheckoutListeners(): boolean {
    return this.#pool.listenerCount('acquire') > 0 || this.#pool.listenerCount('release') > 0
  }

  onAcquire(connection: PgConnection): void {
    this.#emit(connection, 'acquire', connection.firstCheckout.client)
  }

  onRelease(connection: PgConnection, destroy: Error | boolean | undefined): void {
    this.#emit(connection, 'release', destroy, connection.firstCheckout.client)
  }

  onClosing(client: PoolClient, reason: CloseReason | undefined): void {
    this.#pool._clients = this.#pool._clients.filter((each) => each !== client)
    callApp(() => this.#pool.log(reason === undefined ? 'client failed to connect' : CLOSE_MESSAGES[reason]))
  }

  onRemoved(client: PoolClient): void {
    callApp(() => this.#pool.emit('remove', client))
  }

  /** Emits `error` for an idle connection only if there is a listener: without one, pg-pool ends the process. */
  onLost({ client, leased, firstCheckout }: PgConnection, error: Error): void {
    const idle = !leased && client.readyForQuery
    if (!idle || this.#pool.listenerCount('error') === 0) return
    // pg-pool sets `error.client`. It is not enumerable here, because the error may be logged.
    const property = { value: firstCheckout.client, enumerable: false, configurable: true, writable: true }
    Object.defineProperty(error, 'client', property)
    callApp(() => this.#pool.emit('error', error, firstCheckout.client))
  }

  #emit(connection: PgConnection, event: string, ...details: unknown[]): void {
    if (this.#pool.listenerCount(event) === 0) return
    connection.callsListeners = true
    try {
      this.#pool.emit(event, ...details)
    } finally {
      connection.callsListeners = false
    }
  }
}
