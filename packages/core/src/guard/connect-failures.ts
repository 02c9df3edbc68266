import type { ConnectFailure } from '../pool/index.ts'
import { adviseConnectFailure, isKilledByPooler, isServerAbsent, isServerError } from '../postgres-errors/index.ts'
import { addressOf, rememberReached, wasReached } from './discovery/reached-addresses.ts'
import type { PoolguardOptions } from './options/poolguard-options.ts'

export interface ConnectFailuresOptions {
  /** Where the pool connects to: a connection string. */
  readonly target: string
  readonly options: PoolguardOptions
  /** As the driver sorts its own errors. */
  readonly classify: (error: unknown) => ConnectFailure
}

/**
 * Decides what an error of connecting means to a pool. Callers wait for a server that has answered before: it restarts, or fails
 * over. A server that never answered is more likely a wrong address, or one that was never started; a script should be told
 * at once. An instance of a fleet, and a pool that is to keep connections open, live long enough to wait.
 */
export class ConnectFailures {
  readonly #address: string
  readonly #waitsForServer: boolean
  /** PgBouncer's KILL has ended the last connections. */
  #killed = false
  readonly #classify: (error: unknown) => ConnectFailure

  constructor({ target, options, classify }: ConnectFailuresOptions) {
    const { waitForServer, fleet, instances, pool } = options
    this.#address = addressOf(target)
    this.#waitsForServer = waitForServer ?? (fleet !== undefined || instances !== undefined || (pool?.min ?? 0) > 0)
    this.#classify = classify
  }

  onOpened(): void {
    rememberReached(this.#address)
    this.#killed = false
  }

  /** @param error why the connection was lost. */
  onClosed(error: unknown): void {
    if (isKilledByPooler(error)) this.#killed = true
  }

  classify(error: unknown): ConnectFailure {
    // A server that says that it is starting up can be reached.
    if (isServerError(error)) rememberReached(this.#address)
    if (this.#givesUp && isServerAbsent(error)) return 'permanent'
    return this.#classify(error)
  }

  advise(error: unknown): string | undefined {
    return adviseConnectFailure(error, { neverReached: this.#givesUp, killed: this.#killed })
  }

  get #givesUp(): boolean {
    return !this.#waitsForServer && !wasReached(this.#address)
  }
}
