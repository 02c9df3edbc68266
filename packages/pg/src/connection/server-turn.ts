import type { SessionMeter } from '@poolguard/core/adapter'
import type { WireConnection } from '../wire-client.ts'

/**
 * Tells on a busy connection whether the server is working or waits for the client: between two reads of a cursor, and while a COPY
 * sends data to the server.
 */
export class ServerTurn {
  /** Messages sent whose ReadyForQuery has not arrived. */
  #unanswered = 0
  /** The server is sending rows of a cursor, up to the requested number. */
  #reading = false
  #receivesCopy = false

  /** @param meter its `sent` is called for each statement that goes to the server. */
  constructor(wire: WireConnection, meter: SessionMeter | undefined) {
    const { sync, query, execute } = wire
    wire.sync = () => {
      this.#unanswered++
      meter?.sent()
      sync.call(wire)
    }
    wire.query = (text) => {
      this.#unanswered++
      meter?.sent()
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
      this.#receivesCopy = true
    })
    wire.on('errorMessage', () => this.#stop())
    wire.on('readyForQuery', () => {
      if (this.#unanswered > 0) this.#unanswered--
      this.#stop()
    })
  }

  /** Only meaningful while a query is running. */
  get isWaitingForClient(): boolean {
    return this.#receivesCopy || (this.#unanswered === 0 && !this.#reading)
  }

  #stop(): void {
    this.#reading = false
    this.#receivesCopy = false
  }
}
