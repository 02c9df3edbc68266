import type { ConnectFailure } from '../pool/index.ts'
import { adviseConnectFailure, isKilledByPooler, isServerAbsent, isServerError } from '../postgres-errors/index.ts'
import { addressOf, rememberReached, wasReached } from './discovery/reached-addresses.ts'
import type { PoolguardOptions } from './options/poolguard-options.ts'

export interface ConnectFailuresOptions {
  /** Connection string of the pool. */
  readonly target: string
  readonly options: PoolguardOptions
  /** Classifies the driver's errors. */
  readonly classify: (error: unknown) => ConnectFailure
}

/**
 * Classifies connection errors for a pool. If the server has answered before, it is restarting or failing over, and callers
 * wait for it. If it has never answered, the address is probably wrong or the server was never started: callers are rejected
 * immediately, so that a script fails fast. An instance of a fleet, and a pool with a `min`, run long enough to wait.
 */
export class ConnectFailures {
  readonly #address: string
  readonly #waitsForServer: boolean
  /** The last connections were closed by PgBouncer's KILL. */
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

  /** @param error the cause of the loss. */
  onClosed(error: unknown): void {
    if (isKilledByPooler(error)) this.#killed = true
  }

  classify(error: unknown): ConnectFailure {
    // A server that reports that it is starting up is reachable.
    if (isServerError(error)) rememberReached(this.#address)
    if (this.#rejectsUnreached && isServerAbsent(error)) return 'permanent'
    return this.#classify(error)
  }

  advise(error: unknown): string | undefined {
    return adviseConnectFailure(error, { neverReached: this.#rejectsUnreached, killed: this.#killed })
  }

  get #rejectsUnreached(): boolean {
    return !this.#waitsForServer && !wasReached(this.#address)
  }
}
