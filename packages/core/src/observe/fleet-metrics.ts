import type { MetricDefinition } from './metric.ts'
import type { FleetSnapshot } from './snapshot.ts'

/** Of an instance of a fleet. */
export const FLEET_METRICS: readonly MetricDefinition[] = [
  {
    name: 'poolguard_fleet_share',
    type: 'gauge',
    help: "This instance's share of the fleet's budget, in connections.",
    read: ofFleet(({ maxConnections }) => maxConnections),
  },
  {
    name: 'poolguard_fleet_demand',
    type: 'gauge',
    help: 'Connections that this instance could use, as published to its fleet.',
    read: ofFleet(({ demand }) => demand),
  },
  {
    name: 'poolguard_fleet_instances',
    type: 'gauge',
    help: "Instances that share the fleet's budget, as of the last exchange.",
    combine: 'max',
    read: ofFleet(({ instances }) => instances),
  },
  {
    name: 'poolguard_fleet_adaptive_limit',
    type: 'gauge',
    help: 'The limit that a fleet with the option adaptive has found, in connections of all instances together.',
    combine: 'max',
    read: ({ fleet }) => (fleet?.adaptiveLimit === undefined ? [] : [{ labels: {}, value: fleet.adaptiveLimit }]),
  },
]

function ofFleet(read: (fleet: FleetSnapshot) => number): MetricDefinition['read'] {
  return ({ fleet }) => (fleet ? [{ labels: {}, value: read(fleet) }] : [])
}
