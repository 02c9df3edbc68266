import { currentLabel, leaveLabel } from './label.ts'
import { currentScope, leaveScope, type Scope } from './scope.ts'

/** What is known of whoever asked for a lease. */
export interface Borrower {
  /** Holds the stack, which is put into words only when somebody reads it. */
  readonly trace: Error | undefined
  readonly scope: Scope | undefined
  /** What it runs under, see {@link runWithLabel}. */
  readonly label: string | undefined
}

/** Adaptive stacks are captured for so many leak thresholds after a suspicion: a leak that goes on renews it. */
const CAPTURE_THRESHOLDS = 10

/** Tells who borrows, as far as somebody wants to know. */
export class BorrowerIdentification {
  readonly #stacks: 'always' | 'adaptive' | 'never'
  readonly #afterSuspicionMillis: number
  /** By the clock, stacks are captured until then. */
  #captureUntil: number

  constructor(stacks: 'always' | 'adaptive' | 'never', leakThresholdMillis: number) {
    this.#stacks = stacks
    this.#afterSuspicionMillis = leakThresholdMillis * CAPTURE_THRESHOLDS
    this.#captureUntil = stacks === 'always' ? Infinity : -Infinity
  }

  /** To be called in the borrower's own call stack, of which the frames from the caller of `below` on count. */
  identify(now: number, below: (...args: never[]) => unknown): Borrower | undefined {
    const scope = currentScope()
    const label = currentLabel()
    const captures = now < this.#captureUntil
    if (!captures && scope === undefined && label === undefined) return undefined
    return { scope, label, trace: captures ? captureTrace(below) : undefined }
  }

  /** A lease has been found to look like a leak. */
  suspected(now: number): void {
    if (this.#stacks === 'adaptive') this.#captureUntil = now + this.#afterSuspicionMillis
  }
}

/** Ten frames, by Node's default. */
function captureTrace(below: (...args: never[]) => unknown): Error {
  const trace = new Error('borrowed here')
  Error.captureStackTrace(trace, below)
  return trace
}

/** The frames alone, a line each; null where nobody captured them. */
export function stackOf(borrower: Borrower | undefined): string | null {
  const stack = borrower?.trace?.stack
  return stack === undefined ? null : stack.slice(stack.indexOf('\n') + 1)
}

/** Runs a callback as nobody's in particular: what a pool does for itself is not its caller's. */
export function runDetached<T>(callback: () => T): T {
  return leaveScope(() => leaveLabel(callback))
}
