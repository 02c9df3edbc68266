import type { ObservedLeases } from '@poolguard/core/adapter'
import type { ReservedSql, Sql } from 'postgres'
import type { Query } from '../internals.ts'
import { ObservedLease } from './observed-lease.ts'
import type { SqlStats } from './sql-stats.ts'
import { watchQueries } from './watch-queries.ts'

type Body = (sql: Sql & { savepoint?: Begin }) => unknown
type Begin = (...args: unknown[]) => Promise<unknown>

/**
 * Watches callers that hold a connection: `begin` from its first statement to its end, `reserve` until the release.
 *
 * @returns a function that restores `begin` and `reserve`.
 */
export function watchHolders(sql: Sql, leases: ObservedLeases<ObservedLease>, sqlStats: SqlStats): () => void {
  const originals = { begin: sql.begin, reserve: sql.reserve }

  /** Counts a caller of `begin` or `reserve` as waiting until it holds a connection. */
  const requestLease = (below: (...args: never[]) => unknown) => {
    const request = leases.request(below)
    const lease = new ObservedLease()
    let isWaiting = true
    sqlStats.waiting++
    const endWait = () => {
      if (isWaiting) sqlStats.waiting--
      isWaiting = false
    }
    return {
      onAcquired(holder: Sql): () => void {
        endWait()
        leases.begin(lease, request)
        return watchActivity(holder, lease)
      },
      onReleased(): void {
        endWait()
        leases.end(lease)
      },
    }
  }

  const begin: Begin = async (...args) => {
    const holder = requestLease(begin)
    const body = args.findLast((arg) => typeof arg === 'function') as Body | undefined
    let unwatch: (() => void) | undefined
    const watched: Body = (transaction) => {
      unwatch = holder.onAcquired(transaction)
      return body?.(transaction)
    }
    try {
      return await (originals.begin as unknown as Begin)(...args.map((arg) => (arg === body ? watched : arg)))
    } finally {
      unwatch?.()
      holder.onReleased()
    }
  }
  const reserve = async (): Promise<ReservedSql> => {
    const holder = requestLease(reserve)
    const reserved = await originals.reserve().catch((error: unknown) => {
      holder.onReleased()
      throw error
    })
    const unwatch = holder.onAcquired(reserved)
    const { release } = reserved
    reserved.release = () => {
      unwatch()
      holder.onReleased()
      release()
    }
    return reserved
  }
  Object.assign(sql, { begin, reserve })
  return () => void Object.assign(sql, originals)
}

/** Counts every query of a held connection as activity. The `sql` of a savepoint is watched separately. */
function watchActivity(sql: Sql & { savepoint?: Begin }, lease: ObservedLease): () => void {
  const watcher = {
    onHandle(query: Query) {
      const { ended } = lease.begin(query)
      return { onStarted() {}, onEnded: ended }
    },
  }
  const unwatchAll = [watchQueries(sql, watcher)]
  const watchSavepoints = (outer: Sql & { savepoint?: Begin }): void => {
    const { savepoint } = outer
    if (!savepoint) return
    outer.savepoint = (...args) => {
      const body = args.findLast((arg) => typeof arg === 'function') as Body | undefined
      const watched: Body = (inner) => {
        unwatchAll.push(watchQueries(inner, watcher))
        watchSavepoints(inner)
        return body?.(inner)
      }
      return savepoint(...args.map((arg) => (arg === body ? watched : arg)))
    }
  }
  watchSavepoints(sql)
  return () => {
    for (const unwatch of unwatchAll) unwatch()
  }
}
