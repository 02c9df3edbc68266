import { type LeaseActivity, ListenTracker, type RunningQuery, type SessionMeter } from '@poolguard/core/adapter'
import { activeQueryOf, describeActiveQuery, textOfQuery } from '../queries/client-queries.ts'
import type { WireClient } from '../wire-client.ts'
import { ServerTurn } from './server-turn.ts'

/** The activity of a client, read from its protocol messages: what it runs, whether bytes move, whether it listens. */
export class ClientActivity {
  readonly listening: ListenTracker = new ListenTracker()
  readonly #client: WireClient
  readonly #turn: ServerTurn
  /** Number of answers and notifications received. */
  #rounds = 0

  constructor(client: WireClient, meter?: SessionMeter) {
    this.#client = client
    this.#turn = new ServerTurn(client.connection, meter)
    const textOfActive = () => this.runningText
    client.connection.on('commandComplete', ({ text }) => this.listening.onCommandComplete(text, textOfActive))
    client.connection.on('readyForQuery', () => this.#rounds++)
    client.on('notification', () => this.#rounds++)
  }

  /** Changes with every byte; for a socket of the app that does not count bytes, with every answer. */
  get latest(): LeaseActivity {
    return this.bytes || this.#rounds
  }

  get bytes(): number {
    const { bytesRead = 0, bytesWritten = 0 } = this.#client.connection.stream
    return bytesRead + bytesWritten
  }

  /** The query that the server is running; undefined while the server waits for the client or for a stream to be read. */
  get runningQuery(): RunningQuery | undefined {
    if (this.#client.readyForQuery || this.isUnread || this.waitsForClient) return undefined
    return describeActiveQuery(this.#client)
  }

  get runningText(): string | null {
    return textOfQuery(activeQueryOf(this.#client))
  }

  get waitsForClient(): boolean {
    return this.#turn.isWaitingForClient
  }

  /** True if pg does not read the socket: back-pressure or a caller has paused it, or a COPY TO reads it directly. */
  get isUnread(): boolean {
    const { stream } = this.#client.connection
    return stream.isPaused() || stream.listenerCount('data') === 0
  }
}
