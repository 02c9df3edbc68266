import type { WireClient } from './wire-client.ts'

/** One connection of a pool: a pg client, and what was seen on its wire. */
export class PgConnection {
  readonly client: WireClient
  /** What the server reported at login and since (ParameterStatus). */
  readonly parameters: Map<string, string> = new Map()
  #transactionStatus: 'I' | 'T' | 'E' = 'I'

  constructor(client: WireClient) {
    this.client = client
    client.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      this.parameters.set(parameterName, parameterValue)
    })
    client.connection.on('readyForQuery', ({ status }) => {
      this.#transactionStatus = status
    })
  }

  get usable(): boolean {
    return this.client._queryable && !this.client._ending
  }

  /** Nothing in flight, and no transaction open. */
  get atRest(): boolean {
    return this.client.readyForQuery && this.#transactionStatus === 'I'
  }

  /**
   * Brings the connection to rest: waits for what is in flight, and rolls back what was left open.
   * Resolves to whether that worked.
   */
  async comeToRest(): Promise<boolean> {
    if (!this.client.readyForQuery) await this.#answered()
    if (this.usable && this.#transactionStatus !== 'I') await this.client.query('ROLLBACK')
    return this.usable && this.atRest
  }

  #answered(): Promise<void> {
    return new Promise((resolve) => {
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
