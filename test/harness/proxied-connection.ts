import { connect, type Socket } from 'node:net'
import { DelayLine } from './delay-line.ts'

/** What is wrong with the line at the moment. Shared by all connections of a proxy, and changed while they live. */
export interface Faults {
  latencyMillis: number
  blackhole: boolean
  /** Bytes that each connection still gets from the server, counted from when the fault was switched on. */
  cutAfterBytes: number | undefined
}

/** One client's connection and the one behind it to the target, under the faults of the moment. */
export class ProxiedConnection {
  readonly #client: Socket
  readonly #server: Socket
  #faults: Faults
  #bytesFromServer = 0
  #hasLostData = false
  #onClosed = () => {}

  constructor(client: Socket, target: { readonly host: string; readonly port: number }, faults: Faults) {
    this.#client = client
    this.#server = connect({ ...target, allowHalfOpen: true, noDelay: true })
    this.#faults = faults
    this.#carry(this.#client, this.#server)
    this.#carry(this.#server, this.#client)
  }

  /** Called when both sides are closed. */
  onClosed(listener: () => void): void {
    this.#onClosed = listener
  }

  countFromHere(): void {
    this.#bytesFromServer = 0
  }

  /** A black hole from now on, whatever the others do. */
  forget(): void {
    this.#faults = { ...this.#faults, blackhole: true }
  }

  reset(): void {
    this.#client.resetAndDestroy()
    this.#server.resetAndDestroy()
  }

  destroy(): void {
    this.#client.destroy()
    this.#server.destroy()
  }

  /**
   * After a black hole: what happened to one side happens to the other now. A connection that has lost data is closed, because TCP never
   * leaves a gap: the server would answer the next request in place of the lost one.
   */
  catchUp(): void {
    const oneHasLeft = [this.#client, this.#server].some((socket) => socket.destroyed || socket.readableEnded)
    if (oneHasLeft || this.#hasLostData) this.destroy()
  }

  #carry(from: Socket, to: Socket): void {
    const line = new DelayLine(() => this.#faults.latencyMillis)
    const later = (deliver: () => void) => line.add(deliver)
    from.on('data', (chunk) => {
      if (this.#faults.blackhole) this.#hasLostData = true
      else later(() => this.#deliver(chunk, from, to))
    })
    from.on('end', () => {
      if (!this.#faults.blackhole) later(() => to.end())
    })
    // Refused, reset, broken pipe: 'close' follows.
    from.on('error', () => {})
    from.on('close', (broken) => {
      if (!this.#faults.blackhole) later(() => (broken ? to.destroy() : to.destroySoon()))
      if (to.destroyed) this.#onClosed()
    })
  }

  #deliver(chunk: Buffer, from: Socket, to: Socket): void {
    if (this.#faults.blackhole) this.#hasLostData = true
    if (this.#faults.blackhole || to.destroyed) return
    const limit = this.#faults.cutAfterBytes
    if (limit !== undefined && from === this.#server) {
      const left = limit - this.#bytesFromServer
      this.#bytesFromServer += chunk.length
      if (chunk.length >= left) {
        this.#cut(chunk.subarray(0, Math.max(0, left)))
        return
      }
    }
    if (!to.write(chunk)) {
      from.pause()
      to.once('drain', () => from.resume())
    }
  }

  #cut(lastBytes: Buffer): void {
    this.#server.destroy()
    this.#client.write(lastBytes)
    this.#client.destroySoon()
  }
}
