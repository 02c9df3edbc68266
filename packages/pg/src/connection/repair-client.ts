import type { WireClient } from '../wire-client.ts'

/**
 * Undoes what a borrower has done to a client's socket and that would keep the next query from being answered, or the process
 * from waiting for it. False where the client cannot be repaired.
 */
export function repairClient({ connection }: WireClient): boolean {
  const { stream } = connection
  if (!stream.writable) return false
  // pg's own listeners: without them an answer, or the loss of the connection, is never noticed.
  if (stream.listenerCount('data') === 0 || stream.listenerCount('close') === 0) return false
  if (connection.listenerCount('readyForQuery') === 0 || connection.listenerCount('commandComplete') === 0) return false
  if (stream.isPaused()) stream.resume()
  while (stream.writableCorked) stream.uncork?.()
  if (stream.timeout) stream.setTimeout?.(0)
  stream.ref?.()
  return true
}
