import { systemClock } from '../clock.ts'
import { InvalidOptionError } from '../invalid-option-error.ts'
import { DeadlineExceededError } from '../pool/index.ts'

/** The part of node:http's response that tells how it ends. */
export interface EndingResponse {
  readonly writableFinished: boolean
  once(event: 'close', listener: () => void): unknown
}

/**
 * Returns a controller that aborts the work for a request when its client disconnects before the response is sent, or after
 * `limitMillis`. It aborts nothing after the response: work that goes on then is not the client's.
 */
export function responseDeadline(response: EndingResponse, limitMillis: number = Infinity): AbortController {
  const controller = new AbortController()
  const cancel =
    limitMillis === Infinity
      ? undefined
      : systemClock.after(limitMillis, () => controller.abort(new DeadlineExceededError(limitMillis)), {
          background: true,
        })
  response.once('close', () => {
    cancel?.()
    if (response.writableFinished) return
    controller.abort(new DOMException('The client disconnected before the response was sent.', 'AbortError'))
  })
  return controller
}

/**
 * Validates the deadline of a route.
 *
 * @throws {InvalidOptionError} for anything but milliseconds and false.
 */
export function requireRouteDeadline(option: string, value: unknown): void {
  if (value === undefined || value === false || (typeof value === 'number' && value >= 0)) return
  throw new InvalidOptionError(option, value, 'milliseconds, or false for no deadline')
}
