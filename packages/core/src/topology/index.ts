export { type DetectOptions, detectTopology } from './detect.ts'
export type { ProbeSession, ProbeSource } from './probe.ts'
export {
  type DirectTopology,
  describeTopology,
  keepsSession,
  type PoolerTopology,
  type PoolMode,
  type PreparedStatements,
  type Topology,
  type UnknownTopology,
} from './topology.ts'
