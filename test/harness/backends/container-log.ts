import type { Readable } from 'node:stream'

/** Collects what a container prints, for `log()`. */
export class ContainerLog {
  #text = ''

  readonly consume = (stream: Readable): void => {
    stream.on('data', (chunk) => {
      this.#text += chunk
    })
  }

  text(): string {
    return this.#text
  }
}
