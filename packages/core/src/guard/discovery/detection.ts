/** The steps of a discovery, in one module that is loaded with the pool's first connection. */
export { type DiscoveryResult, detectPooler } from './discover-topology.ts'
export { type Inspection, inspectConnection } from './inspect-connection.ts'
