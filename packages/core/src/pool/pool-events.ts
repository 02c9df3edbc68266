import type { ConnectFailure } from './connect-failure.ts'
import type { AcquireTimeoutError, EndedCheckout, PoolSaturatedError } from './errors.ts'
import type { LeaseReport, QueryReport } from './lease-report.ts'
import type { PoolOverloadedError } from './overloaded-error.ts'

/**
 * Why a pool closed a connection; `retired`: the pool no longer uses its server; `budget`: another pool with the same budget needed one.
 */
export type CloseReason =
  | 'idle'
  | 'lifetime'
  | 'uses'
  | 'over-max'
  | 'budget'
  | 'invalid'
  | 'retired'
  | 'lost'
  | 'destroyed'
  | 'drain'

/** An event of a pool. */
export type PoolEvent =
  | { readonly type: 'opened'; readonly millis: number }
  | {
      readonly type: 'connect-failed'
      readonly failure: ConnectFailure
      readonly error: unknown
      /** Time until the next attempt may start; null if this failure did not set a pause. */
      readonly retryInMillis: number | null
    }
  | {
      readonly type: 'closed'
      readonly reason: CloseReason
      /** Why it was lost, if known: the server's last message, or the socket's error. */
      readonly error?: unknown
    }
  | { readonly type: 'timeout'; readonly error: AcquireTimeoutError }
  | { readonly type: 'saturated'; readonly error: PoolSaturatedError }
  /** A caller was rejected because of an overload. */
  | { readonly type: 'shed'; readonly error: PoolOverloadedError }
  /**
   * No byte has moved on a lease for leakThresholdMillis: it was probably never released. This includes a query that sends nothing
   * for that time, unless it has already been reported as a long query.
   */
  | { readonly type: 'leak'; readonly lease: LeaseReport }
  /** A suspected leak was released after all. */
  | { readonly type: 'leak-returned'; readonly lease: LeaseReport }
  /** A query has been running for longQueryMillis. Reported once per query. */
  | { readonly type: 'long-query'; readonly query: QueryReport; readonly lease: LeaseReport }
  /** Every holder of a lease waits for another lease. The pool rejects no waiter for it; the waits end at their deadlines. */
  | {
      readonly type: 'deadlock'
      readonly leases: readonly LeaseReport[]
      readonly waiting: number
      /** The lane whose callers wait for each other; absent in a pool without lanes. */
      readonly lane?: string
    }
  /**
   * A statement has been running for a second or longer while other statements wait behind it on the same connection (`pool.pipeline`).
   * Reported once per statement. Texts are shown without literals.
   */
  | {
      readonly type: 'pipeline-stall'
      readonly statement: string
      /** The statement directly behind it. */
      readonly behind: string
      readonly runningMillis: number
      /** Statements in flight on the connection, the running one included. */
      readonly depth: number
    }
  /** A connection was released with an open transaction, which the pool rolled back. */
  | { readonly type: 'dirty-release' }
  /**
   * A caller sent a query on a connection, or in a transaction, after its release. This is a bug in the caller: another
   * caller may be using that connection. The query was run unless `rejected`.
   */
  | {
      readonly type: 'query-after-release'
      readonly checkout: EndedCheckout
      /** The stack of the caller that sent the query, one frame per line. */
      readonly stack: string | null
      readonly rejected: boolean
    }
  /** An option or a feature has no effect or has a problem; the message says what to do. */
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'resized'; readonly min: number; readonly max: number }
  | {
      readonly type: 'drained'
      /** Connections that were still in use at the deadline and were closed anyway. */
      readonly forced: number
    }

export type PoolEventListener = (event: PoolEvent) => void
