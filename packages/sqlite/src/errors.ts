import { PoolguardError } from '@poolguard/core'

/** The thread of a connection has ended under its callers. What was under way may or may not have been done. */
export class ConnectionLostError extends PoolguardError {
  static {
    ConnectionLostError.prototype.name = 'ConnectionLostError'
  }

  readonly code = 'POOLGUARD_CONNECTION_LOST'

  constructor(name: string, cause?: unknown) {
    super(
      `A connection of pool "${name}" was lost. What it was asked last may or may not have been done, and is not asked ` +
        'again: look whether it was, or make it safe to repeat. Other callers get a new connection.',
      { cause },
    )
  }
}

/** A statement that the pool would do something else with than is meant. */
export class StatementRefusedError extends PoolguardError {
  static {
    StatementRefusedError.prototype.name = 'StatementRefusedError'
  }

  readonly code = 'POOLGUARD_STATEMENT_REFUSED'
}

/** A transaction was used after its end. */
export class TransactionOverError extends PoolguardError {
  static {
    TransactionOverError.prototype.name = 'TransactionOverError'
  }

  readonly code = 'POOLGUARD_TRANSACTION_OVER'
}
