import { PoolguardError } from '../poolguard-error.ts'
import { opensTransaction } from './opens-transaction.ts'
import type { SessionStateMode } from './session-state-mode.ts'

/** A statement begins a transaction through the pool itself, so that no other statement could be part of it. The statement was not sent. */
export class PoolTransactionError extends PoolguardError {
  static {
    PoolTransactionError.prototype.name = 'PoolTransactionError'
  }

  readonly code = 'POOLGUARD_POOL_TRANSACTION'

  constructor(advice: string) {
    super(describePoolTransaction(advice))
  }
}

/** Finds transactions that a caller begins through the pool itself, in any topology. */
export class PoolTransactionCheck {
  readonly #mode: SessionStateMode
  readonly #warn: (message: string) => void
  #hasWarned = false

  constructor(mode: SessionStateMode, warn: (message: string) => void) {
    this.#mode = mode
    this.#warn = warn
  }

  /**
   * Checks a statement that a caller sends through the pool itself, for any topology.
   *
   * @param advice how to run several statements on one connection with this driver.
   * @returns in mode `throw`, the error to reject it with.
   */
  check(text: string, advice: string): PoolTransactionError | undefined {
    if (this.#mode === 'off' || !opensTransaction(text)) return undefined
    if (this.#mode === 'throw') return new PoolTransactionError(advice)
    this.#warnOnce(advice)
    return undefined
  }

  /** Call it when a connection is released with an open transaction. An ORM that acquires a connection per query sends BEGIN this way. */
  onRelease(lastText: string, advice: string): void {
    if (this.#mode !== 'off' && opensTransaction(lastText)) this.#warnOnce(advice)
  }

  #warnOnce(advice: string): void {
    if (!this.#hasWarned) this.#warn(describePoolTransaction(advice))
    this.#hasWarned = true
  }
}

function describePoolTransaction(advice: string): string {
  return (
    'BEGIN was sent through the pool itself, which runs each query on any of its connections and rolls back open transactions. ' +
    `The following statements are not part of the transaction: each commits by itself, and a later ROLLBACK has no effect. ${advice}`
  )
}
