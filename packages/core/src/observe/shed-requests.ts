import type { ReadableMetric } from './metric-definitions.ts'

const KEY: unique symbol = Symbol.for('poolguard.shed.1')

/** Of this process: requests are an app's, which may have several pools, or look at those of others. */
export interface ShedRequests {
  count: number
}

/** On globalThis, so that two copies of this package in one process count together. Absent until somebody may shed any. */
const holder = globalThis as { [KEY]?: ShedRequests }

/**
 * Where an adapter of a framework counts the requests that it turns away while too many callers wait. From the first call on
 * the count is among the metrics.
 *
 * @example
 * const shed = shedRequests()
 * shed.count++
 */
export function shedRequests(): ShedRequests {
  holder[KEY] ??= { count: 0 }
  return holder[KEY]
}

/** Of the process, not of a pool. */
export const PROCESS_METRICS: readonly ReadableMetric<void>[] = [
  {
    name: 'poolguard_requests_shed_total',
    type: 'counter',
    help: 'Requests turned away before their handlers, because too many callers waited for a connection.',
    read: () => (holder[KEY] ? [{ labels: {}, value: holder[KEY].count }] : []),
  },
]
