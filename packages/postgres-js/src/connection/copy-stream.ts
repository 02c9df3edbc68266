import type { Socket } from 'node:net'
import { Readable, type Stream } from 'node:stream'

/** The stream of the COPY that is open on a connection. */
export class CopyStream {
  readonly #socket: Socket
  #stream: Stream | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get isOpen(): boolean {
    return this.#stream !== undefined
  }

  /** The server sends: COPY TO STDOUT. */
  get isReadable(): boolean {
    return this.#stream instanceof Readable
  }

  /** When the connection is lost the stream fails, which would end the process if nothing listened. */
  opened(stream: Stream): void {
    this.#stream = stream
    stream.on('error', () => {})
    // postgres.js would leave the socket paused for ever, and so never see it close.
    if (stream instanceof Readable) {
      stream.once('end', () => this.#resume())
      stream.once('close', () => {
        if (this.#stream === stream && !stream.readableEnded) this.#socket.destroy()
      })
    }
  }

  /** The server is ready for the next query. */
  ended(): void {
    this.#stream = undefined
    this.#resume()
  }

  /** postgres.js pauses the socket when a COPY is read slowly, and does not resume it when that has ended. */
  #resume(): void {
    if (this.#socket.isPaused()) this.#socket.resume()
  }
}
