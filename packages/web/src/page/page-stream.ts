/** How often the stream sends the figures. */
const INTERVAL_MILLIS = 1_000
/** A stream ends after this long, so that the browser's next request is checked again and renews its session. */
const MAX_MILLIS = 600_000
/** A client that has read nothing for this long is gone: not every framework tells when a client disconnects. */
const MAX_UNREAD_MILLIS = 30_000
/** Open streams, of all browsers. Further ones get 503, and poll. */
const MAX_STREAMS = 50

let open = 0

/**
 * Sends the page's figures every second as server-sent events, until the client leaves or the app closes.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export function streamPage(read: () => string, isClosing: () => boolean): Response | undefined {
  if (open >= MAX_STREAMS || isClosing()) return undefined
  const encoder = new TextEncoder()
  let timer: NodeJS.Timeout | undefined
  const stop = () => {
    if (timer === undefined) return
    clearInterval(timer)
    timer = undefined
    open--
  }
  const endsAt = Date.now() + MAX_MILLIS
  let sentAt = Date.now()
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => {
      open++
      const send = () => {
        const now = Date.now()
        if (isClosing() || now > endsAt || now - sentAt > MAX_UNREAD_MILLIS) {
          stop()
          return controller.close()
        }
        // A client that reads slowly gets fewer documents, not old ones.
        if ((controller.desiredSize ?? 0) <= 0) return
        sentAt = now
        controller.enqueue(encoder.encode(`data: ${read()}\n\n`))
      }
      timer = setInterval(send, INTERVAL_MILLIS).unref()
      controller.enqueue(encoder.encode(`retry: ${INTERVAL_MILLIS}\ndata: ${read()}\n\n`))
    },
    cancel: stop,
  })
  // Proxies of nginx hold responses back otherwise.
  return new Response(body, { headers: { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' } })
}
