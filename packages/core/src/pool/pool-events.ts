import type { ConnectFailure } from './connect-failure.ts'
import type { AcquireTimeoutError, PoolSaturatedError } from './errors.ts'

/** Why a pool closed a connection. */
export type CloseReason = 'idle' | 'lifetime' | 'uses' | 'surplus' | 'unfit' | 'lost' | 'given-up' | 'drain'

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
  | { readonly type: 'closed'; readonly reason: CloseReason }
  | { readonly type: 'timeout'; readonly error: AcquireTimeoutError }
  | { readonly type: 'saturated'; readonly error: PoolSaturatedError }
  /** Something cannot be had as asked for; the message says what to do. */
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'resized'; readonly min: number; readonly max: number }
  | {
      readonly type: 'drained'
      /** Connections that were still in use when the time was over, and were closed all the same. */
      readonly forced: number
    }

export type PoolEventListener = (event: PoolEvent) => void
