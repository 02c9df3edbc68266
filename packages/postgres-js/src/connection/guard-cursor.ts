import type { CursorConsumer, Query } from '../internals.ts'

/** What a cursor needs to know of its connection. */
export interface CursorWatch {
  isLost(): boolean
  /** The server waits for the consumer of the rows, or no longer. */
  suspended(suspended: boolean): void
  explain(error: unknown): unknown
}

/**
 * Keeps a cursor from two things that postgres.js does when its connection is lost while rows are being consumed: it writes
 * to the socket that is gone, which ends the process, and its iterator says `done` as if those were all rows. The iterator
 * puts new functions on the query for every step, so they are caught where they are put.
 */
export function guardCursor(query: Query, watch: CursorWatch): void {
  let consume = query.cursorFn as CursorConsumer
  let consuming = false
  /** What nobody could be told yet, because the consumer is at the rows of the step before. */
  let untold: { readonly error: unknown } | undefined
  let reject = explaining(query.reject)

  function explaining(original: (error: unknown) => void): (error: unknown) => void {
    return (error) => {
      const explained = watch.explain(error)
      original(explained)
      if (!consuming) return
      untold = { error: explained }
      // Otherwise the next step of the iterator is `done`.
      query.active = true
    }
  }

  async function guarded(rows: unknown): Promise<unknown> {
    consuming = true
    watch.suspended(true)
    const answer = await consume(rows)
    // Whatever is answered now, postgres.js writes to the socket.
    if (untold || watch.isLost()) return await new Promise<never>(() => {})
    consuming = false
    watch.suspended(false)
    return answer
  }

  Object.defineProperties(query, {
    cursorFn: {
      get: () => guarded,
      set: (next: CursorConsumer) => {
        consume = next
      },
    },
    reject: {
      get: () => reject,
      set: (next: (error: unknown) => void) => {
        reject = explaining(next)
        if (untold) reject(untold.error)
      },
    },
  })
}
