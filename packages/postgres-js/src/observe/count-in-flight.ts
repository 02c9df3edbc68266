import type { ObservedLeases } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { beforeThen } from '../internals.ts'
import { ObservedLease } from './observed-lease.ts'

/**
 * Counts the queries that are awaited, for a version of postgres.js whose internals differ from the known ones: all it needs is
 * that queries are promises. Queries of all instances have one class, so they are counted together.
 *
 * @returns ends the counting.
 */
export function countInFlight(sql: Sql, leases: ObservedLeases<ObservedLease>): () => void {
  const seen = new WeakSet<Promise<unknown>>()
  return beforeThen(sql, (query, then, below) => {
    if (seen.has(query)) return
    seen.add(query)
    const lease = new ObservedLease()
    lease.begin()
    const answered = () => leases.end(lease)
    leases.begin(lease, leases.request(below))
    then.call(query, answered, answered)
  })
}
