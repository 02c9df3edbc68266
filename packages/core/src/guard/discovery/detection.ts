/** The steps of a discovery. */
export { type DiscoveryResult, detectPooler } from './discover-topology.ts'
export { type Inspection, type InspectionOptions, inspectConnection } from './inspect-connection.ts'
