import type { Sql } from 'postgres'
import { beforeHandle, type Handler, onProgress, type Query, type QueryProgress, queryOf } from '../internals.ts'

/** Called for each query of one `sql`. */
export interface QueryWatcher {
  /** The outcome is wanted; called in the stack of the code that wants it. What it returns is called as the query goes on. */
  asked(query: Query, below: (...args: never[]) => unknown): QueryProgress | undefined
}

/** A query's handler tells where it belongs: to the instance, a transaction or a reserved connection. */
const watchers = new Map<Handler, QueryWatcher>()
let unhook: (() => void) | undefined

/**
 * Watches the queries of one `sql`, through one hook for all instances that exists as long as anything is watched.
 *
 * @returns ends the watching.
 */
export function watchQueries(sql: Sql, watcher: QueryWatcher): () => void {
  const { handler } = queryOf(sql)
  unhook ??= beforeHandle(sql, (query, below) => {
    const progress = watchers.get(query.handler)?.asked(query, below)
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
