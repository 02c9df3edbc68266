import { runWithDeadline } from '@poolguard/core'
import { type EndingResponse, responseDeadline } from '@poolguard/core/web'

type RunInTime = <T>(limitMillis: number | undefined, callback: () => T) => T

/** For a response of node:http. */
export function runUntilClosed(response: EndingResponse): RunInTime {
  return (limitMillis, callback) => runWithDeadline(responseDeadline(response, limitMillis).signal, callback)
}

/** For the signal of a web-standard request, which is aborted when the client disconnects. */
export function runUntilAborted(signal: AbortSignal): RunInTime {
  return (limitMillis, callback) =>
    runWithDeadline(signal, limitMillis === undefined ? callback : () => runWithDeadline(limitMillis, callback))
}
