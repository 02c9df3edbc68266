import type { LeaseLedger } from '@poolguard/core'
import type { Sql } from 'postgres'
import { Held } from './observed-lease.ts'

type Then = (this: Promise<unknown>, ...args: unknown[]) => unknown

/**
 * Counts the queries that somebody waits for, by nothing but their being promises: for a version of postgres.js that is
 * built otherwise than those known. Queries of all instances have one class, so that they are counted together.
 *
 * @returns what ends it.
 */
export function countInFlight(sql: Sql, ledger: LeaseLedger<Held>): () => void {
  const prototype = Object.getPrototypeOf(sql.unsafe('')) as { then: Then }
  const original = prototype.then
  const seen = new WeakSet<Promise<unknown>>()
  const counting: Then = function counting(...args) {
    if (!seen.has(this)) {
      seen.add(this)
      const held = new Held()
      held.begin()
      const answered = () => ledger.returned(held)
      ledger.lent(held, ledger.asked(counting))
      original.call(this, answered, answered)
    }
    return original.apply(this, args)
  }
  Reflect.set(prototype, 'then', counting)
  return () => {
    // Unless somebody else has wrapped it since.
    if (prototype.then === counting) Reflect.set(prototype, 'then', original)
  }
}
