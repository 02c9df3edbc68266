import { pause } from '@poolguard/core/adapter'

/** Whether the app is shutting down. From then on the readiness probe replies `draining`. */
export class Drain {
  #begun = false

  get begun(): boolean {
    return this.#begun
  }

  /**
   * Begins to drain.
   *
   * @param delayMillis how long the app should keep serving, so that load balancers see `draining` and stop sending requests.
   * @returns a promise that resolves after the delay.
   */
  async begin(delayMillis: number): Promise<void> {
    this.#begun = true
    if (delayMillis > 0) await pause(delayMillis)
  }
}
