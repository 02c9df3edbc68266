import { PoolguardError } from '@poolguard/core/adapter'
import type { ConnectionSpec, FailureReport } from './protocol.ts'

/** A connection's thread ended while statements were running. These statements may or may not have been executed. */
export class ConnectionLostError extends PoolguardError {
  static {
    ConnectionLostError.prototype.name = 'ConnectionLostError'
  }

  readonly code = 'POOLGUARD_CONNECTION_LOST'

  constructor(name: string, cause?: unknown) {
    super(
      `A connection of pool "${name}" was lost. Its running statements may or may not have been executed, and the pool does not ` +
        'repeat them: check the database, or make the statements safe to repeat. Other callers get a new connection.',
      { cause },
    )
  }
}

/** The pool cannot run this statement as intended, such as `BEGIN` through the pool itself. */
export class StatementRefusedError extends PoolguardError {
  static {
    StatementRefusedError.prototype.name = 'StatementRefusedError'
  }

  readonly code = 'POOLGUARD_STATEMENT_REFUSED'
}

/** A transaction was used after it had ended. */
export class TransactionOverError extends PoolguardError {
  static {
    TransactionOverError.prototype.name = 'TransactionOverError'
  }

  readonly code = 'POOLGUARD_TRANSACTION_OVER'
}

/** An error of SQLite, with its own message and advice. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError'
  /** SQLite's result code, extended if there is one: `SQLITE_CONSTRAINT_UNIQUE`. Undefined for an error of the driver. */
  readonly code: string | undefined

  constructor({ message, code }: FailureReport, spec: ConnectionSpec) {
    const advice = adviceOn(code, spec)
    super(advice === undefined ? message : `${message}: ${advice}`)
    this.code = code
  }
}

function adviceOn(code: string | undefined, { role, busyTimeoutMillis }: ConnectionSpec): string | undefined {
  if (code === 'SQLITE_READONLY' && role === 'reader')
    return 'iterations and read-only transactions run on a reader, which cannot write. Use query(), or transaction() without readOnly.'
  switch (code?.split('_')[1]) {
    case 'BUSY':
    case 'LOCKED':
      return `another process has held the lock for longer than busyTimeoutMillis (${busyTimeoutMillis}). Nothing was changed. Keep write transactions short, or find the process that holds the lock.`
    case 'FULL':
      return 'the disk is full, or the file has reached its maximum size. Nothing of this statement was written; earlier commits are safe.'
    case 'CORRUPT':
      return 'the file is damaged. Stop writing to it, keep a copy, and restore a backup, or recover the readable data with the command ".recover" of the sqlite3 shell.'
    case 'NOTADB':
      return 'the file is not a SQLite database, or is encrypted.'
    case 'READONLY':
      return 'the process may not write to the file or to its folder, where SQLite creates the WAL.'
    case 'CANTOPEN':
      return 'is the path right, does its folder exist, and may the process write to the folder? SQLite creates the WAL there.'
    case 'IOERR':
      return 'reading or writing the file failed. Earlier commits are safe.'
    default:
      return undefined
  }
}

/** Errors from a thread have a stack without the caller; this captures the caller's stack. */
export function withCallersStack(error: unknown): unknown {
  if (error instanceof SqliteError || error instanceof ConnectionLostError) {
    Error.captureStackTrace(error, withCallersStack)
  }
  return error
}
