import type { ConnectFailure } from './connect-failure.ts'
import type { AcquireTimeoutError, EndedCheckout, PoolSaturatedError } from './errors.ts'
import type { LeaseReport, QueryReport } from './lease-report.ts'

/** Why a pool closed a connection. */
export type CloseReason = 'idle' | 'lifetime' | 'uses' | 'over-max' | 'invalid' | 'lost' | 'destroyed' | 'drain'

/** What happens in a pool. */
export type PoolEvent =
  | { readonly type: 'opened'; readonly millis: number }
  | {
      readonly type: 'connect-failed'
      readonly failure: ConnectFailure
      readonly error: unknown
      /** When the next attempt may start; null where this failure did not set it. */
      readonly retryInMillis: number | null
    }
  | {
      readonly type: 'closed'
      readonly reason: CloseReason
      /** Why it was lost, where that is known: what the server said before it closed the connection, or the socket's error. */
      readonly error?: unknown
    }
  | { readonly type: 'timeout'; readonly error: AcquireTimeoutError }
  | { readonly type: 'saturated'; readonly error: PoolSaturatedError }
  /**
   * No byte has moved on a lease for leakThresholdMillis: it was probably never released. A query that runs for so long without
   * sending anything counts too, unless it has been reported as a long query before.
   */
  | { readonly type: 'leak'; readonly lease: LeaseReport }
  /** One that was suspected has come back after all. */
  | { readonly type: 'leak-returned'; readonly lease: LeaseReport }
  /** A query has been running for longQueryMillis. Told once for each query. */
  | { readonly type: 'long-query'; readonly query: QueryReport; readonly lease: LeaseReport }
  /** Every holder of a lease waits for another one. Nobody is turned away for it; the waits end by their deadlines. */
  | { readonly type: 'deadlock'; readonly leases: readonly LeaseReport[]; readonly waiting: number }
  /** A connection came back with a transaction open, which was rolled back. */
  | { readonly type: 'dirty-release' }
  /**
   * A caller has sent a query on a connection, or in a transaction, that had been released: a bug in the caller, because
   * another caller may be using that connection. The query was run, unless `rejected`.
   */
  | {
      readonly type: 'query-after-release'
      readonly checkout: EndedCheckout
      /** Where the query was sent, a frame a line. */
      readonly stack: string | null
      readonly rejected: boolean
    }
  /** Something cannot be had as asked for; the message says what to do. */
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'resized'; readonly min: number; readonly max: number }
  | {
      readonly type: 'drained'
      /** Connections that were still in use when the time was over, and were closed all the same. */
      readonly forced: number
    }

export type PoolEventListener = (event: PoolEvent) => void
