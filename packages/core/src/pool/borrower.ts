import { captureTrace, findApplicationFrames, type Trace } from './application-frames.ts'
import { currentLabel, leaveLabel } from './label.ts'
import { currentScope, leaveScope, type Scope } from './scope.ts'

/** Where a lease was asked for. */
export interface BorrowerTraces {
  /** The stack at the call. */
  readonly call: Trace
  /** The stack of the callers that await the outcome: `await` calls `then` of a query builder from an empty stack. */
  awaiting?: Trace
}

/** What is known of whoever asked for a lease. */
export interface Borrower {
  /** Undefined where stacks are not captured. */
  readonly traces: BorrowerTraces | undefined
  readonly scope: Scope | undefined
  /** What it runs under, see {@link runWithLabel}. */
  readonly label: string | undefined
}

/** Adaptive stacks are captured for so many leak thresholds after a suspicion: a leak that goes on renews it. */
const CAPTURE_THRESHOLDS = 10

/** Tells who borrows, as far as somebody wants to know. */
export class BorrowerIdentification {
  readonly #captureStacks: 'always' | 'adaptive' | 'never'
  readonly #afterSuspicionMillis: number
  /** By the clock, stacks are captured until then. */
  #captureUntil: number

  constructor(captureStacks: 'always' | 'adaptive' | 'never', leakThresholdMillis: number) {
    this.#captureStacks = captureStacks
    this.#afterSuspicionMillis = leakThresholdMillis * CAPTURE_THRESHOLDS
    this.#captureUntil = captureStacks === 'always' ? Infinity : -Infinity
  }

  /** Whether stacks are captured now. */
  captures(now: number): boolean {
    return now < this.#captureUntil
  }

  /**
   * To be called in the borrower's own call stack, of which the frames from the caller of `below` on count.
   *
   * @param traces instead of that, where they were captured before.
   */
  identify(now: number, below: (...args: never[]) => unknown, traces?: BorrowerTraces): Borrower | undefined {
    const scope = currentScope()
    const label = currentLabel()
    const captures = this.captures(now)
    if (!captures && !traces && scope === undefined && label === undefined) return undefined
    return { scope, label, traces: traces ?? (captures ? { call: captureTrace(below) } : undefined) }
  }

  /** A lease has been found to look like a leak. */
  suspected(now: number): void {
    if (this.#captureStacks === 'adaptive') this.#captureUntil = now + this.#afterSuspicionMillis
  }
}

/** Each async function that returns the promise of another one is linked to it a few turns later. */
const LINKING_TURNS = 12

/** The application's frames, a line each; null where the stack was not captured. */
export function stackOf(borrower: Borrower | undefined): string | null {
  if (!borrower?.traces) return null
  return findApplicationFrames([borrower.traces.call, borrower.traces.awaiting])
}

/**
 * Adds the stack of the callers that await an outcome. V8 finds them only from an async function that has been resumed, so
 * this resolves a moment later than the promise.
 */
export async function traceAwaiting<T>(promise: Promise<T>, traces: BorrowerTraces): Promise<T> {
  // What it fails with is the caller's in any case.
  promise.catch(() => {})
  for (let turn = 0; turn < LINKING_TURNS; turn++) await undefined
  traces.awaiting = captureTrace(traceAwaiting)
  return await promise
}

/** The stacks of a caller of `below`, for a lease that will be asked for later. */
export function traceCall(below: (...args: never[]) => unknown): BorrowerTraces {
  return { call: captureTrace(below) }
}

/** The stack of the caller of `below`, as in reports of leaks: the application's frames, a line each. */
export function captureStack(below: (...args: never[]) => unknown): string | null {
  return findApplicationFrames([captureTrace(below)])
}

/** Runs a callback as nobody's in particular: what a pool does for itself is not its caller's. */
export function runDetached<T>(callback: () => T): T {
  return leaveScope(() => leaveLabel(callback))
}
