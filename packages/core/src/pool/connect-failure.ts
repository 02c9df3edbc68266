/**
 * Why a connection could not be opened, which decides whether the pool retries:
 * - `full`: the server or the pooler has no connection left. The pool retries, one connection at a time.
 * - `unavailable`: the server is starting, stopping, recovering, or cannot be reached. The pool retries with growing pauses.
 * - `permanent`: retrying does not help (wrong password, no such database). Callers are rejected immediately.
 */
export type ConnectFailure = 'full' | 'unavailable' | 'permanent'
