import { setTimeout as pause } from 'node:timers/promises'
import { originOf } from '../connect-errors/cannot-connect.ts'
import { type Figures, Tally } from '../stress/tally.ts'

export interface EndpointLoadInput {
  readonly url: URL
  readonly concurrency: number
  readonly durationMillis: number
  /** Stops the load early. */
  readonly signal: AbortSignal
  readonly onProgress: (elapsedMillis: number, requests: number) => void
}

export interface EndpointLoad extends Figures {
  readonly elapsedMillis: number
  /** Responses by status code, the most frequent first. */
  readonly statuses: readonly StatusCount[]
}

export interface StatusCount {
  readonly status: number
  readonly count: number
}

const REQUEST_TIMEOUT_MILLIS = 10_000
const PROGRESS_MILLIS = 200

/** Sends GET requests from `concurrency` workers, one request at a time each, until the time is up. */
export async function loadEndpoint(input: EndpointLoadInput): Promise<EndpointLoad> {
  const { concurrency, durationMillis, signal, onProgress } = input
  const tally = new Tally()
  const statuses = new Map<number, number>()
  const began = performance.now()
  const over = AbortSignal.any([signal, AbortSignal.timeout(durationMillis)])
  const progress = setInterval(() => onProgress(performance.now() - began, tally.requests), PROGRESS_MILLIS)
  await Promise.all(Array.from({ length: concurrency }, () => work(input.url, tally, statuses, over)))
  clearInterval(progress)
  const elapsedMillis = performance.now() - began
  const counts = [...statuses].map(([status, count]) => ({ status, count })).toSorted((a, b) => b.count - a.count)
  return { ...tally.figures(elapsedMillis), elapsedMillis, statuses: counts }
}

async function work(url: URL, tally: Tally, statuses: Map<number, number>, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const began = performance.now()
    try {
      const response = await fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(REQUEST_TIMEOUT_MILLIS) })
      await response.arrayBuffer()
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
      if (response.status >= 400)
        throw Object.assign(new Error(response.statusText), { code: `HTTP ${response.status}` })
      tally.succeeded(performance.now() - began)
    } catch (error) {
      tally.failed(originOf(error))
      // Without a pause, an app that rejects immediately would be flooded with requests.
      await pause(10)
    }
  }
}
