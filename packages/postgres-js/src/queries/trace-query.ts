import { traceAwaiting, traceCall } from '@poolguard/core/adapter'
import type { Query } from '../internals.ts'

type Then = (
  fulfilled?: ((value: unknown) => unknown) | null,
  rejected?: ((error: unknown) => unknown) | null,
) => Promise<unknown>

/**
 * Remembers where a query was made and who awaits it: by the time it asks for a connection, postgres.js has left the caller's
 * stack behind.
 */
export function traceQuery(query: Query, below: (...args: never[]) => unknown): void {
  const traces = traceCall(below)
  query.traces = traces
  const then = query.then as Then
  const traced: Then = (fulfilled, rejected) => {
    // Only the first call shows who wants the outcome.
    Reflect.set(query, 'then', then)
    const outcome = new Promise((resolve, reject) => void then.call(query, resolve, reject))
    return traceAwaiting(outcome, traces).then(fulfilled, rejected)
  }
  Reflect.set(query, 'then', traced)
}
