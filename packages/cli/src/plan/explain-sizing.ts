import {
  busyConnections,
  busyRatio,
  type DatabaseLoad,
  littlesLaw,
  type Sizing,
  sizeAgainstLocking,
  sizeByBusyRatio,
  sizeByCores,
} from '@poolguard/core/postgres'

export interface SizingOptions {
  readonly cores?: number
  readonly checkouts?: number
  readonly held?: number
  readonly concurrency?: number
  readonly connectionsEach?: number
}

/** Every formula whose inputs are known, from the options or from the database's statistics. */
export function explainSizing(options: SizingOptions, load: DatabaseLoad | undefined): readonly Sizing[] {
  const { cores, checkouts, held, concurrency, connectionsEach } = options
  const measured = load && measuredLoad(load)
  const sizings: Sizing[] = []
  if (checkouts !== undefined && held !== undefined) {
    sizings.push(littlesLaw({ checkoutsPerSecond: checkouts, heldMillis: held }))
  } else if (measured) {
    sizings.push(littlesLaw(measured))
  }
  // One disk, as `limit: 'cores'` counts.
  if (cores !== undefined) sizings.push(sizeByCores({ cores, disks: 1 }))
  if (cores !== undefined && load && busyRatio(load) > 0)
    sizings.push(sizeByBusyRatio({ cores, busyRatio: busyRatio(load) }))
  if (concurrency !== undefined)
    sizings.push(sizeAgainstLocking({ concurrency, connectionsEach: connectionsEach ?? 1 }))
  return sizings
}

/** Counts a transaction as a checkout that lasts as long as it keeps a connection busy. */
function measuredLoad(load: DatabaseLoad): { checkoutsPerSecond: number; heldMillis: number } | undefined {
  if (load.transactions <= 0 || load.elapsedMillis <= 0) return undefined
  const checkoutsPerSecond = (load.transactions * 1_000) / load.elapsedMillis
  return { checkoutsPerSecond, heldMillis: (busyConnections(load) * 1_000) / checkoutsPerSecond }
}
