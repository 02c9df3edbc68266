import type { ObservedLeases } from '@poolguard/core/adapter'
import type { Sql } from 'postgres'
import { beforeThen } from '../internals.ts'
import { ObservedLease } from './observed-lease.ts'

/**
 * Counts awaited queries, for versions of postgres.js with unknown internals: requires only that queries are promises. Queries of all
 * instances have one class, so they are counted together.
 *
 * @returns a function that stops the counting.
 */
export function countInFlight(sql: Sql, leases: ObservedLeases<ObservedLease>): () => void {
  const seen = new WeakSet<Promise<unknown>>()
  return beforeThen(sql, (query, then, below) => {
    if (seen.has(query)) return
    seen.add(query)
    const lease = new ObservedLease()
    lease.begin()
    const onSettled = () => leases.end(lease)
    leases.begin(lease, leases.request(below))
    then.call(query, onSettled, onSettled)
  })
}
