import type { CursorConsumer, Query } from '../internals.ts'

/** The connection's callbacks for a cursor. */
export interface CursorWatch {
  isLost(): boolean
  /** Called when the server starts or stops waiting for the consumer of the rows. */
  onSuspended(suspended: boolean): void
  explain(error: unknown): unknown
}

/**
 * Makes a cursor fail if its connection is lost while rows are being consumed. postgres.js would write to the closed socket, which ends
 * the process, or its iterator would report `done` although rows are missing. The iterator assigns new functions to the query for every
 * step, so the properties are intercepted.
 */
export function guardCursor(query: Query, watch: CursorWatch): void {
  let consume = query.cursorFn as CursorConsumer
  let consuming = false
  /** An error that occurred while the consumer was processing rows; the next step fails with it. */
  let pendingError: { readonly error: unknown } | undefined
  let reject = explaining(query.reject)

  function explaining(original: (error: unknown) => void): (error: unknown) => void {
    return (error) => {
      const explained = watch.explain(error)
      original(explained)
      if (!consuming) return
      pendingError = { error: explained }
      // Otherwise the iterator's next step returns `done`.
      query.active = true
    }
  }

  async function guarded(rows: unknown): Promise<unknown> {
    consuming = true
    watch.onSuspended(true)
    const answer = await consume(rows)
    // Never resolve: postgres.js would write to the closed socket.
    if (pendingError || watch.isLost()) return await new Promise<never>(() => {})
    consuming = false
    watch.onSuspended(false)
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
        if (pendingError) reject(pendingError.error)
      },
    },
  })
}
