import type { Sql } from 'postgres'
import { beforeHandle, type Handler, onProgress, type Query, type QueryProgress, queryOf } from '../internals.ts'

/** Called for each query of one `sql`. */
export interface QueryWatcher {
  /** Called when a query's outcome is first requested, in the caller's stack. Returns callbacks for the query's progress. */
  onHandle(query: Query, below: (...args: never[]) => unknown): QueryProgress | undefined
}

/** Watchers by handler: the instance, each transaction and each reserved connection have a handler of their own. */
const watchers = new Map<Handler, QueryWatcher>()
let unhook: (() => void) | undefined

/**
 * Watches the queries of one `sql`. All instances share one hook, which is removed with the last watcher.
 *
 * @returns a function that stops watching.
 */
export function watchQueries(sql: Sql, watcher: QueryWatcher): () => void {
  const { handler } = queryOf(sql)
  unhook ??= beforeHandle(sql, (query, below) => {
    const progress = watchers.get(query.handler)?.onHandle(query, below)
    if (progress) onProgress(query, progress)
  })
  watchers.set(handler, watcher)
  return () => {
    watchers.delete(handler)
    if (watchers.size > 0) return
    unhook?.()
    unhook = undefined
  }
}
