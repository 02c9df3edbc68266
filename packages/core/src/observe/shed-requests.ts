import { ProcessWide } from '../process-wide.ts'
import type { ReadableMetric } from './metric.ts'

/** The requests that this process has shed. Counted per process, because a request may use several pools. */
export interface ShedRequests {
  count: number
}

/** Created when an adapter that sheds requests starts; before, the metric does not exist. */
const shed = new ProcessWide<ShedRequests>('poolguard.shed.1', () => ({ count: 0 }))

/**
 * The counter for a framework adapter that rejects requests while too many callers wait. The first call adds the metric to the
 * metrics page.
 *
 * @example
 * const shed = shedRequests()
 * shed.count++
 */
export function shedRequests(): ShedRequests {
  return shed.value
}

/** Metrics of the process, not of a pool. */
export const PROCESS_METRICS: readonly ReadableMetric<void>[] = [
  {
    name: 'poolguard_requests_shed_total',
    type: 'counter',
    help: 'Requests rejected before their handler ran, because too many callers waited for a connection.',
    read: () => (shed.existing ? [{ labels: {}, value: shed.existing.count }] : []),
  },
]
