import { captureTrace, findApplicationFrames, type Trace } from './application-frames.ts'
import {
  currentRun,
  currentScope,
  type LabelledRun,
  leaveLabel,
  leaveLane,
  leaveScope,
  type Scope,
} from './caller-context.ts'
import { leaveDeadline } from './deadline.ts'

/** The stacks of a caller that acquires a lease. */
export interface BorrowerTraces {
  /** The stack at the call. */
  readonly call: Trace
  /** The stack of the callers that await the result: `await` calls the `then` of a query builder with an empty stack. */
  awaiting?: Trace
}

/** The caller that acquires a lease. */
export interface Borrower {
  /** Undefined if stacks are not captured. */
  readonly traces: BorrowerTraces | undefined
  readonly scope: Scope | undefined
  /** The request or job that it is a part of, see {@link runWithLabel}. */
  readonly run: LabelledRun | undefined
}

/** Observes each caller that acquires a lease. */
export interface CallerObserver {
  /** False: it need not be asked for callers without a label. Read at every acquire. */
  readonly wantsUnlabelled: boolean
  /**
   * A caller asks for a lease. Returns true if the pool should capture the caller's stack.
   *
   * @param run the caller's request or job, if it has a label.
   */
  asks(run: LabelledRun | undefined, now: number): boolean
}

/** With `adaptive`, stacks are captured for this many leak thresholds after a suspected leak; each further one restarts the time. */
const CAPTURE_THRESHOLDS = 10

/** Identifies borrowers by scope, label and, if stacks are captured, by stack. */
export class BorrowerIdentification {
  readonly #captureStacks: 'always' | 'adaptive' | 'never'
  readonly #captureMillis: number
  readonly #observer: CallerObserver | undefined
  /** Stacks are captured until this time of the clock. */
  #captureUntil: number

  constructor(captureStacks: 'always' | 'adaptive' | 'never', leakThresholdMillis: number, observer?: CallerObserver) {
    this.#observer = observer
    this.#captureStacks = captureStacks
    this.#captureMillis = leakThresholdMillis * CAPTURE_THRESHOLDS
    this.#captureUntil = captureStacks === 'always' ? Infinity : -Infinity
  }

  /** Whether stacks are captured now. */
  captures(now: number): boolean {
    return now < this.#captureUntil
  }

  /**
   * Call it in the borrower's own call stack, of which the frames from the caller of `below` upwards count.
   *
   * @param traces stacks that were captured earlier and replace the current one.
   */
  identify(now: number, below: (...args: never[]) => unknown, traces?: BorrowerTraces): Borrower | undefined {
    const scope = currentScope()
    const run = currentRun()
    const observer = this.#observer
    const isAsked = observer !== undefined && (run !== undefined || observer.wantsUnlabelled) && observer.asks(run, now)
    const captures = isAsked || this.captures(now)
    if (!captures && !traces && scope === undefined && run === undefined) return undefined
    return { scope, run, traces: traces ?? (captures ? { call: captureTrace(below) } : undefined) }
  }

  /** Call it for each suspected leak. */
  onSuspectedLeak(now: number): void {
    if (this.#captureStacks === 'adaptive') this.#captureUntil = now + this.#captureMillis
  }
}

/** V8 links an async function to the promise that it returns a few turns of the microtask queue later. */
const LINKING_TURNS = 12

/** The borrower's route or job; null if it has no label. */
export function labelOf(borrower: Borrower | undefined): string | null {
  return borrower?.run?.label ?? null
}

/** The application's frames, one per line; null if the stack was not captured. */
export function stackOf(borrower: Borrower | undefined): string | null {
  if (!borrower?.traces) return null
  return findApplicationFrames([borrower.traces.call, borrower.traces.awaiting])
}

/**
 * Adds the stack of the callers that await the promise. V8 shows them only in an async function that has been resumed, so
 * the result resolves a moment later than the promise.
 */
export async function traceAwaiting<T>(promise: Promise<T>, traces: BorrowerTraces): Promise<T> {
  // The caller handles a rejection through the returned promise.
  promise.catch(() => {})
  for (let turn = 0; turn < LINKING_TURNS; turn++) await undefined
  traces.awaiting = captureTrace(traceAwaiting)
  return await promise
}

/** The stacks of a caller of `below`, for a lease that is acquired later. */
export function traceCall(below: (...args: never[]) => unknown): BorrowerTraces {
  return { call: captureTrace(below) }
}

/** The stack of the caller of `below`, as in reports of leaks: the application's frames, one per line. */
export function captureStack(below: (...args: never[]) => unknown): string | null {
  return findApplicationFrames([captureTrace(below)])
}

/** Runs a callback without the caller's scope, label, lane and deadline, for the pool's own work. */
export function runDetached<T>(callback: () => T): T {
  return leaveScope(() => leaveLabel(() => leaveLane(() => leaveDeadline(callback))))
}
