import type { Borrower, Joiner } from '../pool/index.ts'
import type { StatementProfile } from './statement-profile.ts'

/** One statement that may share a connection. A driver's subclass sends it and settles its caller's promise. */
export abstract class SharedStatement<C> implements Joiner {
  readonly profile: StatementProfile
  readonly bytes: number
  /** When its caller asked for it, by the pool's clock. */
  readonly since: number
  readonly borrower: Borrower | undefined
  /** Its caller's lane; undefined in a pool without lanes. */
  readonly lane: string | undefined
  /** Ends its caller's wait, in the line or for an answer. */
  readonly signal: AbortSignal | undefined
  /** @internal Removes the listener of the signal. */
  endAbortWatch: (() => void) | undefined
  /** @internal Takes it out of the pool's line; undefined while it does not wait there. */
  leave: (() => boolean) | undefined
  /** @internal The pipeline's function for a statement that begins to wait. */
  onWaiting: ((statement: SharedStatement<C>) => void) | undefined
  /** @internal Its caller has got an error and waits no longer. */
  isAbandoned = false
  /** @internal Whether the pipeline counts it among the statements of the line that may join a connection. */
  isCounted = false
  readonly #shareWithinMillis: number

  constructor(request: SharedRequest, signal?: AbortSignal | undefined) {
    this.signal = signal
    this.profile = request.profile
    this.bytes = request.bytes
    this.since = request.since
    this.borrower = request.borrower
    this.lane = request.lane
    this.#shareWithinMillis = request.shareWithinMillis
  }

  get mayJoin(): boolean {
    return this.profile.isFast(this.#shareWithinMillis)
  }

  onWait(leave: () => boolean): void {
    this.leave = leave
    this.onWaiting?.(this)
  }

  /** Whether it can be sent on this connection behind other statements. */
  abstract suits(connection: C): boolean

  /**
   * Sends it. The subclass calls `pipeline.finish` exactly once when the server has answered, or when the connection is lost; also if it
   * throws.
   *
   * @param isBehind true if other statements are in flight on the connection.
   */
  abstract send(connection: C, isBehind: boolean): void

  /** The pool has no connection for it, or its signal was aborted. */
  abstract reject(error: unknown): void
}

/** What the pipeline knows about a statement when its caller asks for it. */
export interface SharedRequest {
  readonly profile: StatementProfile
  readonly bytes: number
  readonly since: number
  readonly borrower: Borrower | undefined
  readonly lane: string | undefined
  readonly shareWithinMillis: number
}
