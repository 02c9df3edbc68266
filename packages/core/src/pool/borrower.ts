import type { Scope } from './scope.ts'

/** What is known of whoever asked for a lease. */
export interface Borrower {
  /** Holds the stack, which is put into words only when somebody reads it. */
  readonly trace: Error | undefined
  readonly scope: Scope | undefined
}

/** Adaptive stacks are captured for so many leak thresholds after a suspicion: a leak that goes on renews it. */
export const CAPTURE_THRESHOLDS = 10

/** The stack from the caller of `below` on. Ten frames, by Node's default. */
export function captureTrace(below: (...args: never[]) => unknown): Error {
  const trace = new Error('borrowed here')
  Error.captureStackTrace(trace, below)
  return trace
}

/** The frames alone, a line each; null where nobody captured them. */
export function stackOf(borrower: Borrower | undefined): string | null {
  const stack = borrower?.trace?.stack
  return stack === undefined ? null : stack.slice(stack.indexOf('\n') + 1)
}
