import type { Durations, LaneStats } from '../pool/index.ts'
import type { MetricDefinition, MetricSample } from './metric.ts'

/** Of a pool with lanes. */
export const LANE_METRICS: readonly MetricDefinition[] = [
  {
    name: 'poolguard_lane_connections',
    type: 'gauge',
    help: 'Connections that the callers of a lane have.',
    labels: ['lane'],
    read: perLane(({ active }) => active),
  },
  {
    name: 'poolguard_lane_connections_max',
    type: 'gauge',
    help: 'The most connections that the callers of a lane may have at the same time.',
    labels: ['lane'],
    read: perLane(({ max }) => max),
  },
  {
    name: 'poolguard_lane_connections_reserved',
    type: 'gauge',
    help: 'Connections that other lanes leave free for a lane.',
    labels: ['lane'],
    read: perLane(({ reserve }) => reserve),
  },
  {
    name: 'poolguard_lane_pending_requests',
    type: 'gauge',
    help: 'Callers waiting for a connection, by lane.',
    labels: ['lane'],
    read: perLane(({ waiting }) => waiting),
  },
  {
    name: 'poolguard_lane_overloaded',
    type: 'gauge',
    help: '1 while more callers arrive than the connections of a lane can serve.',
    labels: ['lane'],
    combine: 'max',
    read: perLane(({ overloaded }) => (overloaded ? 1 : 0)),
  },
  {
    name: 'poolguard_lane_rejected_total',
    type: 'counter',
    help: 'Callers that got no connection, by lane and reason: timeout, saturated (maxWaiters) or shed (overload).',
    labels: ['lane', 'reason'],
    read: ({ stats }) => Object.entries(stats.lanes ?? {}).flatMap(([lane, figures]) => rejections(lane, figures)),
  },
  {
    name: 'poolguard_lane_wait_seconds',
    type: 'histogram',
    help: 'Time that callers waited for the connection that they acquired, by lane.',
    labels: ['lane'],
    read: perLane(({ wait }) => wait),
  },
]

function perLane(read: (lane: LaneStats) => number | Durations): MetricDefinition['read'] {
  return ({ stats }) =>
    Object.entries(stats.lanes ?? {}).map(([lane, figures]) => ({ labels: { lane }, value: read(figures) }))
}

function rejections(lane: string, { timeouts, saturated, shed }: LaneStats): MetricSample[] {
  const shedInAll = shed['waited-too-long'] + shed['deadline-too-near']
  return Object.entries({ timeout: timeouts, saturated, shed: shedInAll }).map(([reason, value]) => ({
    labels: { lane, reason },
    value,
  }))
}
