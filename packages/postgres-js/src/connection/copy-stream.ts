import type { Socket } from 'node:net'
import { Readable, type Stream } from 'node:stream'

/** The stream of the COPY in progress on a connection. */
export class CopyStream {
  readonly #socket: Socket
  #stream: Stream | undefined

  constructor(socket: Socket) {
    this.#socket = socket
  }

  get isOpen(): boolean {
    return this.#stream !== undefined
  }

  /** True for COPY TO STDOUT: the server sends data. */
  get isReadable(): boolean {
    return this.#stream instanceof Readable
  }

  /** Listens for errors of the stream: if the connection is lost, an unhandled one would end the process. */
  onOpened(stream: Stream): void {
    this.#stream = stream
    stream.on('error', () => {})
    // postgres.js would leave the socket paused, and would never see it close.
    if (stream instanceof Readable) {
      stream.once('end', () => this.#resume())
      stream.once('close', () => {
        if (this.#stream === stream && !stream.readableEnded) this.#socket.destroy()
      })
    }
  }

  /** Called when the server is ready for the next query. */
  onReady(): void {
    this.#stream = undefined
    this.#resume()
  }

  /** postgres.js pauses the socket if a COPY is read slowly, and does not resume it at the end of the COPY. */
  #resume(): void {
    if (this.#socket.isPaused()) this.#socket.resume()
  }
}
