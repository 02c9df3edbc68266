import { AcquireTimeoutError, describeBorrowers } from '@poolguard/core'

/** An error that came off the wire has a stack that ends in the socket; this one leads to whoever asked, as in pg. */
export function withCallersStack(error: unknown): unknown {
  if (error instanceof Error) Error.captureStackTrace(error, withCallersStack)
  if (error instanceof AcquireTimeoutError) error.stack += describeBorrowers(error.pool)
  return error
}
