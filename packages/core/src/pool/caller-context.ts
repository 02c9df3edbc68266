import { processWideStorage } from '../process-wide.ts'
import { requireLaneName } from './lane-settings.ts'

/** What a pool's observer remembers about one request, job or scope. */
export interface CallerNotes {
  /** The observer whose notes they are. */
  readonly owner: object
  /** The notes of another observer: a request may use several pools. */
  readonly next: CallerNotes | undefined
}

/** Code that runs as one unit for a caller: a request, a job or a transaction. */
export class CallerContext {
  notes: CallerNotes | undefined
}

/** A label, or a function that returns it once it is known. */
export type Label = string | (() => string | undefined)

/** One call of {@link runWithLabel}: one request or one run of a job. */
export class LabelledRun extends CallerContext {
  readonly #label: Label

  constructor(label: Label) {
    super()
    this.#label = label
  }

  /** Undefined as long as the label is not known. */
  get label(): string | undefined {
    return typeof this.#label === 'string' ? this.#label : this.#label()
  }
}

const runs = processWideStorage<LabelledRun>('poolguard.labels.2')

/**
 * Runs a callback under a label, such as a route or the name of a job. Pools measure waits, and where the time of connections goes, for each label.
 * Adapters of frameworks wrap each request in it: one call counts as one request. It costs nothing from Node 24 on; before, every await of the process takes 2.4 times as long.
 *
 * @param label one of a few: a route (`GET /orders/:id`), never a path. A function is called whenever a connection is acquired: a framework
 * may find the route after its middleware has run. It returns undefined until then.
 * @example
 * await runWithLabel('nightly invoices', () => pool.query('refresh materialized view invoices'))
 */
export function runWithLabel<T>(label: Label, callback: () => T): T {
  return runs.value.run(new LabelledRun(label), callback)
}

/** Runs a callback under no label. */
export function leaveLabel<T>(callback: () => T): T {
  return runs.existing ? runs.existing.exit(callback) : callback()
}

/** The label of the current call. */
export function currentLabel(): string | undefined {
  return currentRun()?.label
}

/** The request or job of the current call, if it runs under a label. */
export function currentRun(): LabelledRun | undefined {
  return runs.existing?.getStore()
}

const lanes = processWideStorage<string>('poolguard.lanes.1')

/**
 * Runs a callback in a lane: its callers get connections by the settings of that lane, from every pool that has it (option `lanes`). In
 * another lane inside of it, only the inner lane applies. It costs nothing from Node 24 on; before, every await of the process takes 2.4
 * times as long.
 *
 * @param callback must await its queries: postgres.js and query builders run a query only when it is awaited.
 * @throws {InvalidOptionError} for a name that no lane can have.
 * @example
 * await runInLane('jobs', () => pool.query('refresh materialized view invoices'))
 */
export function runInLane<T>(lane: string, callback: () => T): T {
  requireLaneName('lane', lane)
  return lanes.value.run(lane, callback)
}

/** Runs a callback in no lane. */
export function leaveLane<T>(callback: () => T): T {
  return lanes.existing ? lanes.existing.exit(callback) : callback()
}

/** The lane of the current call. */
export function currentLane(): string | undefined {
  return lanes.existing?.getStore()
}

/** Work that may hold a lease while it acquires another one, such as a transaction's callback. */
export class Scope extends CallerContext {
  /** The enclosing scope, whose leases cannot end before this scope ends. */
  readonly parent: Scope | undefined

  constructor(parent: Scope | undefined) {
    super()
    this.parent = parent
  }
}

const scopes = processWideStorage<Scope>('poolguard.scopes.1')

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
