import { Socket } from 'node:net'

/** A socket for pg's option `stream` that connects to a given address. pg keeps the host's name, which TLS verifies. */
export class AddressedSocket extends Socket {
  readonly #address: string

  constructor(address: string) {
    super()
    this.#address = address
  }

  // biome-ignore lint/suspicious/noExplicitAny: pg calls only this one of the overloads.
  override connect(port: any): this {
    return super.connect({ port, host: this.#address })
  }
}
