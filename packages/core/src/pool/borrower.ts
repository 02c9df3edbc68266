import { captureTrace, findApplicationFrames, type Trace } from './application-frames.ts'
import { currentLabel, leaveLabel } from './label.ts'
import { currentScope, leaveScope, type Scope } from './scope.ts'

/** What is known of whoever asked for a lease. */
export interface Borrower {
  /** The stack at the call; undefined where stacks are not captured. */
  readonly trace: Trace | undefined
  /** The stack of the callers that await the lease: `await` calls `then` of a query builder from an empty stack. */
  awaitTrace?: Trace
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

/** The application's frames, a line each; null where the stack was not captured. */
export function stackOf(borrower: Borrower | undefined): string | null {
  if (!borrower?.trace) return null
  return findApplicationFrames([borrower.trace, borrower.awaitTrace])
}

/**
 * Adds the stack of the callers that await a lease, for a borrower whose stack is captured. V8 finds them only from an async
 * function that has been resumed, so this resolves a moment later than the lease.
 */
export async function traceAwaiting<T>(lease: Promise<T>, borrower: Borrower): Promise<T> {
  const lent = await lease
  borrower.awaitTrace = captureTrace(traceAwaiting)
  return lent
}

/** The stack of the caller of `below`, as in reports of leaks: the application's frames, a line each. */
export function captureStack(below: (...args: never[]) => unknown): string | null {
  return findApplicationFrames([captureTrace(below)])
}

/** Runs a callback as nobody's in particular: what a pool does for itself is not its caller's. */
export function runDetached<T>(callback: () => T): T {
  return leaveScope(() => leaveLabel(callback))
}
