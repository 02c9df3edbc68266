import type { PageDocument } from '../src/index.ts'
import { ResponseError, readDocument, streamUrl } from './server.ts'

/** How the page gets its figures: `polling` where a proxy does not pass the stream on. */
export type Connection = 'connecting' | 'live' | 'polling' | 'lost'

export interface Watcher {
  onDocument(document: PageDocument): void
  onConnection(connection: Connection): void
  /** The session has ended. */
  onSignedOut(): void
}

/** A stream that is silent for this long does not reach the browser. */
const SILENCE_MILLIS = 6_000
const POLL_MILLIS = 2_000
const RETRY_MILLIS = 1_000

/** Follows the server's figures until the returned function is called. */
export function watch(filter: string, watcher: Watcher): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  /** Whether the stream works here: then only the server can be the reason that it has ended. */
  let hasStreamed = false

  const later = (millis: number, next: () => void) => {
    clearTimeout(timer)
    timer = setTimeout(next, millis)
  }

  const stream = () => {
    source = new EventSource(streamUrl(filter))
    source.onmessage = ({ data }) => {
      hasStreamed = true
      watcher.onConnection('live')
      watcher.onDocument(JSON.parse(data))
      later(SILENCE_MILLIS, give)
    }
    source.onerror = () => {
      watcher.onConnection('lost')
      // Otherwise the browser connects again by itself.
      if (source?.readyState === EventSource.CLOSED) later(RETRY_MILLIS, poll)
    }
    later(SILENCE_MILLIS, give)
  }

  const give = () => {
    source?.close()
    void poll()
  }

  const poll = async () => {
    try {
      const document = await readDocument(filter)
      if (stopped) return
      watcher.onDocument(document)
      watcher.onConnection(hasStreamed ? 'live' : 'polling')
      if (hasStreamed) stream()
      else later(POLL_MILLIS, poll)
    } catch (error) {
      if (stopped) return
      if (error instanceof ResponseError && error.status === 401) watcher.onSignedOut()
      else {
        watcher.onConnection('lost')
        later(RETRY_MILLIS, poll)
      }
    }
  }

  watcher.onConnection('connecting')
  stream()
  return () => {
    stopped = true
    clearTimeout(timer)
    source?.close()
  }
}
