/** A query that is running. */
export interface QueryReport {
  /** On one line, without literal values; null if unknown. */
  readonly text: string | null
  /** Measured since the query was first seen, so a lower bound. */
  readonly runningMillis: number
}

/** A current lease, for reports of leaks, deadlocks and timeouts. */
export interface LeaseReport {
  readonly heldMillis: number
  /** Time since the last activity. */
  readonly quietMillis: number
  /** The running query. */
  readonly query?: QueryReport
  /** The stack of its acquire, one frame per line; null if stacks are not captured. */
  readonly stack: string | null
}
