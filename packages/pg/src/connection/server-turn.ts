import type { WireConnection } from '../wire-client.ts'

/**
 * Whose turn it is on a busy connection: whether the server is at work, or waits for the client, as it does while a cursor is
 * open between two reads, and while it takes the data of a COPY.
 */
export class ServerTurn {
  /** Messages that the server ends with ReadyForQuery, and has not answered yet. */
  #unanswered = 0
  /** A cursor is read: rows are on their way, up to its limit. */
  #reading = false
  #takesCopy = false

  constructor(wire: WireConnection) {
    const { sync, query, execute } = wire
    wire.sync = () => {
      this.#unanswered++
      sync.call(wire)
    }
    wire.query = (text) => {
      this.#unanswered++
      query.call(wire, text)
    }
    wire.execute = (message) => {
      if (message.rows) this.#reading = true
      execute.call(wire, message)
    }
    wire.on('portalSuspended', () => {
      this.#reading = false
    })
    wire.on('copyInResponse', () => {
      this.#takesCopy = true
    })
    wire.on('errorMessage', () => this.#stop())
    wire.on('readyForQuery', () => {
      if (this.#unanswered > 0) this.#unanswered--
      this.#stop()
    })
  }

  /** Only meaningful while a query is open: a server that is ready has nothing to wait for. */
  get isWaitingForClient(): boolean {
    return this.#takesCopy || (this.#unanswered === 0 && !this.#reading)
  }

  #stop(): void {
    this.#reading = false
    this.#takesCopy = false
  }
}
