import { Readable, Stream, Writable } from 'node:stream'
import { type LeaseActivity, type RunningQuery, showStatement } from '@poolguard/core/adapter'
import type { CursorConsumer, Query } from '../internals.ts'
import { textOf } from '../queries/statement-text.ts'

/** A running query. */
interface ActiveQuery extends RunningQuery {
  /** True while the server waits for the consumer of the rows. */
  consuming: boolean
}

/**
 * An observed lease: a connection held by a query, a transaction or `reserve()`. Bytes are not visible outside of postgres.js, so queries,
 * cursor steps and stream chunks count as activity.
 */
export class ObservedLease {
  readonly #running = new Set<ActiveQuery>()
  #steps = 0
  listening = false

  get activity(): LeaseActivity {
    return this.#steps
  }

  get runningQuery(): RunningQuery | undefined {
    for (const running of this.#running) if (!running.consuming) return running
    return undefined
  }

  /** Registers a running query. Call `ended` when it is answered; further calls do nothing. */
  begin(query?: Query): { ended: () => void } {
    const running: ActiveQuery = {
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
        if (query) this.#trackListening(query)
      },
    }
  }

  #watch(query: Query, running: ActiveQuery): void {
    if (query.cursorFn) this.#watchCursor(query, running)
    if (!query.options.simple) return
    const { resolve } = query
    query.resolve = (value) => {
      if (value instanceof Stream) this.#watchStream(value, running)
      resolve(value)
    }
  }

  /** Intercepts `cursorFn`, because the iterator assigns a new function to it for every step. */
  #watchCursor(query: Query, running: ActiveQuery): void {
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

  /** Counts the chunks of a COPY stream as activity. */
  #watchStream(stream: Stream, running: ActiveQuery): void {
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

  #trackListening({ strings: [text = ''] }: Query): void {
    if (/^\s*listen\b/i.test(text)) this.listening = true
    else if (/^\s*unlisten\b/i.test(text)) this.listening = false
  }
}
