export { assumeTopology } from './assume-topology.ts'
export { type DetectOptions, detectTopology } from './detect.ts'
export { announcedPooler, judgeIdentity, serverVersion } from './judge-identity.ts'
export { forgetTopology, recallTopology, rememberTopology } from './known-topologies.ts'
export {
  PGBOUNCER_CONSOLE,
  type PgBouncerClient,
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSetting,
  type PgBouncerSocket,
  type PgBouncerStats,
  type PgBouncerUser,
  pgBouncerPoolMode,
  pgBouncerSettingAsNumber,
  readPgBouncerClients,
  readPgBouncerConfig,
  readPgBouncerDatabases,
  readPgBouncerLists,
  readPgBouncerPools,
  readPgBouncerSockets,
  readPgBouncerStats,
  readPgBouncerUsers,
  readPgBouncerVersion,
  type ShowRow,
} from './pgbouncer-show.ts'
export { describeProbeFailure, type Identity, type ProbeSession, type ProbeSource, readPid } from './probe.ts'
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
export { type TopologyTraits, topologyTraits } from './topology-traits.ts'
