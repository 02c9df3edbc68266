import { Readable, Stream, Writable } from 'node:stream'
import { type Activity, type RunningQuery, showStatement } from '@poolguard/core/adapter'
import type { CursorConsumer, Query } from '../internals.ts'
import { textOf } from '../queries/statement-text.ts'

/** What a query is at: the server's turn, or the consumer's. */
interface Running extends RunningQuery {
  consuming: boolean
}

/**
 * A connection that is held, for a query, a transaction or until it is released, as an observer sees it: bytes are not to be
 * seen from outside of postgres.js, so what counts are queries, the steps of cursors, and the chunks of streams.
 */
export class ObservedLease {
  readonly #running = new Set<Running>()
  #steps = 0
  listening = false

  get activity(): Activity {
    return this.#steps
  }

  get runningQuery(): RunningQuery | undefined {
    for (const running of this.#running) if (!running.consuming) return running
    return undefined
  }

  /** A query is on its way. Calling `ended` again does nothing. */
  begin(query?: Query): { ended: () => void } {
    const running: Running = {
      key: query ?? {},
      describe: () => (query ? showStatement(textOf(query)) : null),
      consuming: false,
    }
    this.#running.add(running)
    this.#steps++
    if (query) this.#watch(query, running)
    return {
      ended: () => {
        if (!this.#running.delete(running)) return
        this.#steps++
        if (query) this.#noteListening(query)
      },
    }
  }

  #watch(query: Query, running: Running): void {
    if (query.cursorFn) this.#watchCursor(query, running)
    if (!query.options.simple) return
    const { resolve } = query
    query.resolve = (value) => {
      if (value instanceof Stream) this.#watchStream(value, running)
      resolve(value)
    }
  }

  /** The iterator puts a new function on the query for every step. */
  #watchCursor(query: Query, running: Running): void {
    let consume = query.cursorFn
    const consumeWatched: CursorConsumer = async (rows) => {
      this.#steps++
      running.consuming = true
      const answer = await consume?.(rows)
      this.#steps++
      running.consuming = false
      return answer
    }
    Object.defineProperty(query, 'cursorFn', {
      configurable: true,
      enumerable: true,
      get: () => consume && consumeWatched,
      set: (next: CursorConsumer | undefined) => {
        consume = next
      },
    })
  }

  /** Of a COPY, which the consumer reads or writes. */
  #watchStream(stream: Stream, running: Running): void {
    running.consuming = true
    if (stream instanceof Readable) {
      const { push } = stream
      stream.push = (...chunk) => {
        this.#steps++
        return push.apply(stream, chunk)
      }
    }
    if (stream instanceof Writable) {
      const { write } = stream
      stream.write = ((...chunk: Parameters<typeof write>) => {
        this.#steps++
        return write.apply(stream, chunk)
      }) as typeof write
    }
  }

  #noteListening({ strings: [text = ''] }: Query): void {
    if (/^\s*listen\b/i.test(text)) this.listening = true
    else if (/^\s*unlisten\b/i.test(text)) this.listening = false
  }
}
