import { ConnectionLostError } from './errors.ts'
import { SqliteError } from './sqlite-error.ts'

/** An error that has come from a thread has a stack that ends in the message; this one leads to whoever asked. */
export function withCallersStack(error: unknown): unknown {
  if (error instanceof SqliteError || error instanceof ConnectionLostError) {
    Error.captureStackTrace(error, withCallersStack)
  }
  return error
}
