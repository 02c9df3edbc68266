import type { Sql } from 'postgres'
import { type Handler, type Query, queryOf } from '../internals.ts'

/** Told of one query. */
export interface QueryWatcher {
  /** Somebody wants the outcome. To be called in his own call stack. What it returns is told of this query from then on. */
  asked(query: Query, below: (...args: never[]) => unknown): QueryProgress | undefined
}

export interface QueryProgress {
  /** The server is at it. */
  started(): void
  /** It has its outcome. `error` is known where it failed before it was started. */
  ended(error: unknown): void
}

/** Whoever handles a query tells whose it is: the instance, a transaction or a reserved connection. */
const watchers = new Map<Handler, QueryWatcher>()
let restore: (() => void) | undefined

/**
 * Watches the queries of one `sql`. postgres.js has no hook for that, so the method with which every query begins is
 * wrapped, once for all instances, for as long as somebody watches.
 *
 * @returns what ends it.
 */
export function watchQueries(sql: Sql, watcher: QueryWatcher): () => void {
  const query = queryOf(sql)
  const { handler } = query
  restore ??= wrapHandle(Object.getPrototypeOf(query))
  watchers.set(handler, watcher)
  return () => {
    watchers.delete(handler)
    if (watchers.size > 0) return
    restore?.()
    restore = undefined
  }
}

/** What {@link watchQueries} needs, beyond what {@link requireInternals} looks at. */
export function canWatchQueries(sql: Sql): boolean {
  const query = queryOf(sql) as Partial<Query> & { handle?: unknown; executed?: unknown }
  return (
    typeof query.handler === 'function' &&
    typeof query.handle === 'function' &&
    typeof query.reject === 'function' &&
    query.active === false &&
    query.executed === false
  )
}

interface QueryPrototype {
  handle(this: Query & { executed: boolean }): unknown
}

function wrapHandle(prototype: QueryPrototype): () => void {
  const original = prototype.handle
  const handle: QueryPrototype['handle'] = function handle() {
    if (!this.executed) {
      const progress = watchers.get(this.handler)?.asked(this, handle)
      if (progress) watchProgress(this, progress)
    }
    return original.call(this)
  }
  prototype.handle = handle
  return () => {
    // Unless somebody else has wrapped it since.
    if (prototype.handle === handle) prototype.handle = original
  }
}

/** `active` is true while the server is at a query: not while that waits, be it in a pipeline; and whatever way it ends in. */
function watchProgress(query: Query, progress: QueryProgress): void {
  let active = false
  let started = false
  let failure: unknown
  const { reject } = query
  query.reject = (error) => {
    if (!started) failure = error
    reject(error)
  }
  Object.defineProperty(query, 'active', {
    configurable: true,
    enumerable: true,
    get: () => active,
    set: (next: boolean) => {
      active = next
      if (next && !started) {
        started = true
        progress.started()
      } else if (!next) {
        progress.ended(failure)
      }
    },
  })
}
