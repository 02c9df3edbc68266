/**
 * The least time between two attempts to connect to a server that did not answer or was not suitable. A failover is found within
 * this time, and such a server gets at most two connections per second from one pool.
 */
const RETRY_MILLIS = 500

/** A server that keeps failing is tried before others only after a pause that doubles up to this. */
const MAX_REST_MILLIS = 30_000

/** Why a server cannot be used. */
export type HostFailure = 'unreachable' | 'unsuitable'

interface FailedHost {
  /** Undefined if it is only in doubt. */
  readonly failure: HostFailure | undefined
  readonly error: unknown
  readonly failures: number
  triedAt: number
}

/** What a pool knows about its servers, by their keys: which of them failed, and when to try them again. */
export class HostMemory {
  readonly #now: () => number
  readonly #failed = new Map<string, FailedHost>()
  /** The server of the last connection. */
  home: string | undefined

  constructor(now: () => number) {
    this.#now = now
  }

  failureOf(key: string): HostFailure | undefined {
    return this.#failed.get(key)?.failure
  }

  /** Why it failed last. */
  errorOf(key: string): unknown {
    return this.#failed.get(key)?.error
  }

  failed(key: string, failure: HostFailure, error: unknown): void {
    const failures = (this.#failed.get(key)?.failures ?? 0) + 1
    this.#failed.set(key, { failure, error, failures, triedAt: this.#now() })
  }

  /** A connection to it was lost, or its role may have changed: one attempt shows whether it is still there, and others wait for that. */
  doubted(key: string): void {
    if (!this.#failed.has(key))
      this.#failed.set(key, { failure: undefined, error: undefined, failures: 0, triedAt: -Infinity })
  }

  succeeded(key: string): void {
    this.#failed.delete(key)
    this.home = key
  }

  /** Milliseconds until a server may be tried again; 0 if it may be tried now. */
  waitMillis(key: string): number {
    const host = this.#failed.get(key)
    return host ? Math.max(0, host.triedAt + RETRY_MILLIS - this.#now()) : 0
  }

  /** An attempt begins. */
  tried(key: string): void {
    const host = this.#failed.get(key)
    if (host) host.triedAt = this.#now()
  }

  /** Servers that failed come last, the one whose attempt is the longest ago first, until they have rested. */
  order(keys: readonly string[]): readonly string[] {
    const isResting = (key: string) => this.#restsUntil(key) > this.#now()
    const triedAt = (key: string) => this.#failed.get(key)?.triedAt ?? 0
    const resting = keys.filter(isResting).sort((one, other) => triedAt(one) - triedAt(other))
    return [...keys.filter((key) => !isResting(key)), ...resting]
  }

  #restsUntil(key: string): number {
    const host = this.#failed.get(key)
    return host ? host.triedAt + Math.min(MAX_REST_MILLIS, RETRY_MILLIS * 2 ** host.failures) : 0
  }
}
