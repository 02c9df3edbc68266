import { ProcessWide } from '../process-wide.ts'
import type { ReadableMetric } from './metric-definitions.ts'

/** Of this process: requests are an app's, which may have several pools, or look at those of others. */
export interface ShedRequests {
  count: number
}

/** Absent until an adapter may shed requests: then there is no such metric. */
const shed = new ProcessWide<ShedRequests>('poolguard.shed.1', () => ({ count: 0 }))

/**
 * Where an adapter of a framework counts the requests that it turns away while too many callers wait. From the first call on
 * the count is among the metrics.
 *
 * @example
 * const shed = shedRequests()
 * shed.count++
 */
export function shedRequests(): ShedRequests {
  return shed.value
}

/** Of the process, not of a pool. */
export const PROCESS_METRICS: readonly ReadableMetric<void>[] = [
  {
    name: 'poolguard_requests_shed_total',
    type: 'counter',
    help: 'Requests turned away before their handlers, because too many callers waited for a connection.',
    read: () => (shed.existing ? [{ labels: {}, value: shed.existing.count }] : []),
  },
]
