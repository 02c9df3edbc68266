import { PoolguardError } from '@poolguard/core'
import type { ConnectionSpec, FailureReport } from './protocol.ts'

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

/** What SQLite has refused, with its own text and what to do about it. */
export class SqliteError extends Error {
  override readonly name = 'SqliteError'
  /** SQLite's name for it, the extended one where there is: `SQLITE_CONSTRAINT_UNIQUE`. Undefined where it is the driver's. */
  readonly code: string | undefined

  constructor({ message, code }: FailureReport, spec: ConnectionSpec) {
    const advice = adviceOn(code, spec)
    super(advice === undefined ? message : `${message}: ${advice}`)
    this.code = code
  }
}

function adviceOn(code: string | undefined, { role, busyTimeoutMillis }: ConnectionSpec): string | undefined {
  if (code === 'SQLITE_READONLY' && role === 'reader') return 'iterations and read-only transactions run on a reader.'
  switch (code?.split('_')[1]) {
    case 'BUSY':
    case 'LOCKED':
      return `another process has held the lock for longer than busyTimeoutMillis (${busyTimeoutMillis}). Nothing was changed; keep write transactions short, or look for what holds it.`
    case 'FULL':
      return 'the disk, or the most that the file may have, is full. Nothing of it was written; what was committed before stays.'
    case 'CORRUPT':
      return 'the file is damaged. Stop writing to it, keep a copy, and restore a backup, or recover what can be read with the command ".recover" of the sqlite3 shell.'
    case 'NOTADB':
      return 'the file is no SQLite database, or is encrypted.'
    case 'READONLY':
      return 'the process may not write to the file or to its folder, in which SQLite keeps the WAL beside it.'
    case 'CANTOPEN':
      return 'is the path right, does its folder exist, and may the process write to it? SQLite keeps the WAL beside the file.'
    case 'IOERR':
      return 'reading or writing the file has failed. What was committed before stays.'
    default:
      return undefined
  }
}

/** An error that has come from a thread has a stack that ends in the message; this one leads to whoever asked. */
export function withCallersStack(error: unknown): unknown {
  if (error instanceof SqliteError || error instanceof ConnectionLostError) {
    Error.captureStackTrace(error, withCallersStack)
  }
  return error
}
