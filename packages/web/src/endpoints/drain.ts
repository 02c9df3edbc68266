import type { ServerResponse } from 'node:http'
import { pause } from '@poolguard/core/adapter'

/** The parts of node:http's response that a drain uses. */
export type DrainedResponse = Pick<ServerResponse, 'headersSent' | 'setHeader'> & {
  readonly req: { readonly httpVersionMajor: number }
  once(event: 'close', listener: () => void): unknown
}

/**
 * The shutdown of an app. From its beginning the readiness probe replies `draining`, and replies over HTTP/1 close their connection: Node closes only idle connections when a server closes, so that a client with a request in flight would keep its connection
 * for the server's keepAliveTimeout.
 */
export class Drain {
  #begun = false
  readonly #open = new Set<DrainedResponse>()
  /** Responses that are being made, in frameworks whose server the app does not close itself. */
  readonly #running = new Set<Promise<Response>>()

  get begun(): boolean {
    return this.#begun
  }

  /**
   * Begins to drain.
   *
   * @param delayMillis how long the app should keep serving, so that load balancers see `draining` and stop sending requests.
   * @returns a promise that resolves after the delay, when the responses that are being made then are made.
   */
  async begin(delayMillis: number): Promise<void> {
    this.#begun = true
    for (const response of this.#open) closeAfter(response)
    if (delayMillis > 0) await pause(delayMillis)
    await Promise.allSettled(this.#running)
  }

  /** Makes a response, for which a drain waits. */
  async run(respond: () => Promise<Response>): Promise<Response> {
    const running = respond()
    this.#running.add(running)
    try {
      return await running
    } finally {
      this.#running.delete(running)
    }
  }

  /** Call it when a request begins. HTTP/2 has no such header: it ends sessions with GOAWAY. */
  track(response: DrainedResponse): void {
    if (response.req.httpVersionMajor !== 1) return
    if (this.#begun) {
      closeAfter(response)
    } else {
      this.#open.add(response)
      response.once('close', () => this.#open.delete(response))
    }
  }
}

function closeAfter(response: DrainedResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close')
}
