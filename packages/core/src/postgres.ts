/**
 * What tools need that know PostgreSQL and PgBouncer: connection strings and their rewriting for each driver, providers,
 * PgBouncer's console, and how many connections a process may have.
 *
 * @module @poolguard/core/postgres
 */

export {
  BudgetError,
  type BusyRatioInput,
  busyConnections,
  busyRatio,
  CAPACITY_QUERY,
  CAPACITY_SOURCE,
  type Capacity,
  type DatabaseLoad,
  describeSizing,
  type LittlesLawInput,
  littlesLaw,
  MEGABYTES_PER_CONNECTION,
  type OtherUse,
  othersUse,
  type PlanInput,
  type PoolerAnswers,
  type PoolerCapacity,
  type PoolLockingInput,
  planBudget,
  readCapacity,
  readLoad,
  readPoolerCapacity,
  readUsage,
  SIZING_QUERY,
  type Sizing,
  type Surge,
  sizeAgainstLocking,
  sizeByBusyRatio,
  sizeByCores,
  surgeOf,
  USAGE_QUERY,
  type UsageRow,
  usableSlots,
} from './budget/index.ts'
export {
  ConnectionString,
  type ConnectionStringParts,
  describeAddress,
  type HostAddress,
  type Parameter,
  parseConnectionString,
  settleTarget,
} from './connection-string/index.ts'
export {
  type ConnectionWishes,
  describeRewriteWarning,
  type PgOptions,
  type PgRewriting,
  type PostgresJsOptions,
  type PostgresJsRewriting,
  type ReadCertificate,
  type RewriteWarning,
  type RewriteWarningCode,
  type RewrittenUrl,
  readCertificate,
  type TlsOptions,
  toPg,
  toPostgresJs,
  toPrismaEngine,
  wishesOf,
} from './drivers/index.ts'
export { type FleetName, readFleetName } from './fleet/index.ts'
export { type ClassifyOptions, classifyConnectFailure } from './postgres-errors/index.ts'
export {
  type AssumedEndpoint,
  type DirectUrl,
  directUrlFor,
  guessProvider,
  type ProviderAssumption,
} from './provider/index.ts'
export { type Range, RowReader, readNamedRows, readOneRow, readRows } from './row-reader.ts'
export {
  assumeTopology,
  keepsSession,
  PGBOUNCER_CONSOLE,
  type PgBouncerClient,
  type PgBouncerDatabase,
  type PgBouncerPool,
  type PgBouncerSetting,
  type PgBouncerStats,
  readPgBouncerClients,
  readPgBouncerConfig,
  readPgBouncerDatabases,
  readPgBouncerLists,
  readPgBouncerPools,
  readPgBouncerStats,
  readPgBouncerVersion,
  type ShowRow,
  type TopologyTraits,
  topologyTraits,
} from './topology/index.ts'
