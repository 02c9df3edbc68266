import type { WireClient } from '../wire-client.ts'

/**
 * Undoes changes of a caller to a client's socket that would block the next query: resumes it, uncorks it, removes its timeout and
 * lets it keep the process alive. Returns false if the client cannot be repaired.
 */
export function repairClient({ connection }: WireClient): boolean {
  const { stream } = connection
  if (!stream.writable) return false
  // Without its own listeners pg never sees an answer or a lost connection.
  if (stream.listenerCount('data') === 0 || stream.listenerCount('close') === 0) return false
  if (connection.listenerCount('readyForQuery') === 0 || connection.listenerCount('commandComplete') === 0) return false
  if (stream.isPaused()) stream.resume()
  while (stream.writableCorked) stream.uncork?.()
  if (stream.timeout) stream.setTimeout?.(0)
  stream.ref?.()
  return true
}
