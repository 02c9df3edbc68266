import { AsyncLocalStorage } from 'node:async_hooks'
import { ProcessWide } from '../process-wide.ts'

/** Created with the first label: before Node 24, an AsyncLocalStorage in use slows every await of the process. */
const labels = new ProcessWide('poolguard.labels.1', () => new AsyncLocalStorage<string>())

/**
 * Runs a callback under a label, such as a route or the name of a job. Pools measure the waits of callers for each label. Adapters of
 * frameworks wrap each request in it. It costs nothing from Node 24 on; before, every await of the process takes 2.4 times as long.
 *
 * @param label one of a few: a route (`GET /orders/:id`), never a path.
 * @example
 * await runWithLabel('nightly invoices', () => pool.query('refresh materialized view invoices'))
 */
export function runWithLabel<T>(label: string, callback: () => T): T {
  return labels.value.run(label, callback)
}

/** Runs a callback under no label. */
export function leaveLabel<T>(callback: () => T): T {
  return labels.existing ? labels.existing.exit(callback) : callback()
}

/** The label of the current call. */
export function currentLabel(): string | undefined {
  return labels.existing?.getStore()
}

/** Work that may hold a lease while it acquires another one, such as a transaction's callback. */
export class Scope {
  /** The enclosing scope, whose leases cannot end before this scope ends. */
  readonly parent: Scope | undefined

  constructor(parent: Scope | undefined) {
    this.parent = parent
  }
}

/** Created with the first scope: before Node 24, an AsyncLocalStorage in use slows every await of the process. */
const scopes = new ProcessWide('poolguard.scopes.1', () => new AsyncLocalStorage<Scope>())

/**
 * Runs a callback in a scope of its own, so that pools can detect a deadlock among their callers: every holder of a lease
 * waits for another lease. Adapters wrap transactions in it. It costs nothing from Node 24 on; before, every await of the process
 * takes 2.4 times as long.
 *
 * @example
 * await withDeadlockDetection(async () => {
 *   const client = await pool.connect()
 *   // ... a caller that waits for the same pool in here is known to hold a lease
 * })
 */
export function withDeadlockDetection<T>(callback: () => T): T {
  return scopes.value.run(new Scope(scopes.value.getStore()), callback)
}

/** From Node 24 on, AsyncLocalStorage costs nothing, so adapters open scopes by default. */
export const asyncContextIsCheap: boolean = Number.parseInt(process.versions.node, 10) >= 24

export function currentScope(): Scope | undefined {
  return scopes.existing?.getStore()
}

/** Runs a callback in no scope. */
export function leaveScope<T>(callback: () => T): T {
  return scopes.existing ? scopes.existing.exit(callback) : callback()
}
