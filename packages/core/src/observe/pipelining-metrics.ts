import type { MetricDefinition } from './metric.ts'
import type { PipeliningState } from './snapshot.ts'

/** Of a pool whose statements share connections. */
export const PIPELINING_METRICS: readonly MetricDefinition[] = [
  {
    name: 'poolguard_pipelined_statements_total',
    type: 'counter',
    help: 'Statements sent behind others on a connection in use.',
    read: ofPipelining(({ sentBehind }) => sentBehind),
  },
  {
    name: 'poolguard_pipelined_in_flight',
    type: 'gauge',
    help: 'Statements in flight on connections that statements may share.',
    read: ofPipelining(({ inFlight }) => inFlight),
  },
  {
    name: 'poolguard_pipeline_stalls_total',
    type: 'counter',
    help: 'Statements that ran for a second or longer while others waited behind them on the same connection.',
    read: ofPipelining(({ stalls }) => stalls),
  },
]

function ofPipelining(read: (pipelining: PipeliningState) => number): MetricDefinition['read'] {
  return ({ pipelining }) => (pipelining ? [{ labels: {}, value: read(pipelining) }] : [])
}
