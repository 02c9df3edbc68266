import { type Activity, pause } from '@poolguard/core'
import { cancelQuery } from './cancel.ts'
import { Checkout } from './checkout.ts'
import type { WireClient } from './wire-client.ts'

/**
 * What is done with a released connection before the next borrower gets it: an open transaction is rolled back; or beyond
 * that the whole session is reset (`DISCARD ALL`, a round trip for every release); or nothing.
 */
export type Reset = 'rollback' | 'discard' | 'off'

/** How long to wait for the effect of each request to cancel; after the last the connection is closed as it is. */
const CANCEL_PATIENCE_MILLIS = [50, 100, 200, 400, 800, 1_600]

/** One connection of a pool: a pg client, and what was seen on its wire. */
export class PgConnection {
  readonly client: WireClient
  /** What the server reported at login and since (ParameterStatus). */
  readonly parameters: Map<string, string> = new Map()
  /** Somebody has it. */
  leased = false
  /** Its client is what the pool's events show, and what the first borrower gets. */
  readonly firstCheckout: Checkout
  /** True while listeners of the pool's events are called: they may query a client that nobody has. */
  tellsListeners = false
  #transactionStatus: 'I' | 'T' | 'E' = 'I'
  /** Answers and notifications so far. */
  #rounds = 0

  constructor(client: WireClient) {
    this.client = client
    this.firstCheckout = new Checkout(this)
    client.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      this.parameters.set(parameterName, parameterValue)
    })
    client.connection.on('readyForQuery', ({ status }) => {
      this.#transactionStatus = status
      this.#rounds++
    })
    client.on('notification', () => this.#rounds++)
  }

  get usable(): boolean {
    return this.client._queryable && !this.client._ending
  }

  get inTransaction(): boolean {
    return this.#transactionStatus !== 'I'
  }

  /** Changes with every answer of the server. */
  get activity(): Activity {
    return this.client.readyForQuery ? this.#rounds : 'busy'
  }

  /** Fit for the next borrower as it is. */
  isClean(reset: Reset): boolean {
    return this.client.readyForQuery && reset !== 'discard' && (reset === 'off' || !this.inTransaction)
  }

  /** Waits for what is in flight, and undoes what was left behind. Resolves to whether that worked. */
  async clean(reset: Reset, leftInTransaction: () => void): Promise<boolean> {
    await this.#answered()
    if (!this.usable || reset === 'off') return this.usable
    if (this.inTransaction) {
      leftInTransaction()
      await this.client.query('ROLLBACK')
    }
    if (reset === 'discard') await this.#discard()
    return this.usable && !this.inTransaction
  }

  /** Ends the connection. What it is running is cancelled first: a server goes on with it long after the client has left. */
  async end(): Promise<void> {
    // A request that arrives before the server has begun with the query cancels nothing, so it may take a second one.
    for (const patienceMillis of CANCEL_PATIENCE_MILLIS) {
      if (!this.usable || this.client.readyForQuery) break
      await cancelQuery(this.client, patienceMillis)
      await Promise.race([this.#answered(), pause(patienceMillis, { background: true })])
    }
    await this.client.end()
  }

  async #discard(): Promise<void> {
    await this.client.query('DISCARD ALL')
    this.client.connection.parsedStatements = {}
  }

  #answered(): Promise<void> {
    return new Promise((resolve) => {
      if (this.client.readyForQuery || !this.usable) return resolve()
      const answered = () => {
        this.client.off('drain', answered)
        this.client.off('end', answered)
        resolve()
      }
      this.client.on('drain', answered)
      this.client.on('end', answered)
    })
  }
}
