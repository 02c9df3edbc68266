import type { ObservedLeases } from '@poolguard/core/adapter'
import type { ReservedSql, Sql } from 'postgres'
import type { Query } from '../internals.ts'
import { ObservedLease } from './observed-lease.ts'
import type { SqlStats } from './sql-stats.ts'
import { watchQueries } from './watch-queries.ts'

type Body = (sql: Sql & { savepoint?: Begin }) => unknown
type Begin = (...args: unknown[]) => Promise<unknown>

/**
 * Watches who has a connection to himself: `begin` from its first statement to its end, `reserve` until it is released.
 *
 * @returns what ends it.
 */
export function watchHolders(sql: Sql, leases: ObservedLeases<ObservedLease>, sqlStats: SqlStats): () => void {
  const originals = { begin: sql.begin, reserve: sql.reserve }

  /** Somebody waits for a connection to himself. */
  const ask = (below: (...args: never[]) => unknown) => {
    const request = leases.request(below)
    const lease = new ObservedLease()
    let waits = true
    sqlStats.waiting++
    const endWait = () => {
      if (waits) sqlStats.waiting--
      waits = false
    }
    return {
      got(by: Sql): () => void {
        endWait()
        leases.begin(lease, request)
        return watchActivity(by, lease)
      },
      ended(): void {
        endWait()
        leases.end(lease)
      },
    }
  }

  const begin: Begin = async (...args) => {
    const holder = ask(begin)
    const body = args.findLast((arg) => typeof arg === 'function') as Body | undefined
    let forget: (() => void) | undefined
    const watched: Body = (transaction) => {
      forget = holder.got(transaction)
      return body?.(transaction)
    }
    try {
      return await (originals.begin as unknown as Begin)(...args.map((arg) => (arg === body ? watched : arg)))
    } finally {
      forget?.()
      holder.ended()
    }
  }
  const reserve = async (): Promise<ReservedSql> => {
    const holder = ask(reserve)
    const reserved = await originals.reserve().catch((error: unknown) => {
      holder.ended()
      throw error
    })
    const forget = holder.got(reserved)
    const { release } = reserved
    reserved.release = () => {
      forget()
      holder.ended()
      release()
    }
    return reserved
  }
  Object.assign(sql, { begin, reserve })
  return () => void Object.assign(sql, originals)
}

/** Every query sent on it is activity. Savepoints have queries of their own. */
function watchActivity(sql: Sql & { savepoint?: Begin }, lease: ObservedLease): () => void {
  const watcher = {
    asked(query: Query) {
      const { ended } = lease.begin(query)
      return { started() {}, ended }
    },
  }
  const forgets = [watchQueries(sql, watcher)]
  const watchSavepoints = (outer: Sql & { savepoint?: Begin }): void => {
    const { savepoint } = outer
    if (!savepoint) return
    outer.savepoint = (...args) => {
      const body = args.findLast((arg) => typeof arg === 'function') as Body | undefined
      const watched: Body = (inner) => {
        forgets.push(watchQueries(inner, watcher))
        watchSavepoints(inner)
        return body?.(inner)
      }
      return savepoint(...args.map((arg) => (arg === body ? watched : arg)))
    }
  }
  watchSavepoints(sql)
  return () => {
    for (const forget of forgets) forget()
  }
}
