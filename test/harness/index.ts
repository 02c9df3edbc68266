export { composeConfig, describeWithCompose } from './compose.ts'
export type { ConnectionTarget } from './credentials.ts'
export { describeWhere } from './describe-where.ts'
export { type Disruption, type FailoverBed, startFailoverBed } from './failover-bed.ts'
export { ChromiumUnavailableError, describeWithChromium, findChromium } from './find-chromium.ts'
export { PgBouncerUnavailableError } from './find-pgbouncer.ts'
export { describeWithPrometheus } from './find-prometheus.ts'
export { describeWithTerminal } from './find-tmux.ts'
export { hasSignals } from './has-signals.ts'
export { type MovablePgBouncer, startMovablePgBouncer } from './movable-pgbouncer.ts'
export { startPgBouncer } from './pgbouncer.ts'
export { describeWithPgBouncer, type PgBouncerAvailability, pgBouncerAvailability } from './pgbouncer-availability.ts'
export { describeWithPgBouncerProgram, type PgBouncerPlace, startPgBouncerFiles } from './pgbouncer-files.ts'
export {
  type PgBouncerOptions,
  type PgBouncerServer,
  type PgBouncerVersion,
  type PoolMode,
  pgBouncerVersions,
} from './pgbouncer-server.ts'
export { startPostgres } from './postgres.ts'
export { postgresBinaries } from './postgres-binaries.ts'
export {
  type PostgresOptions,
  type PostgresServer,
  type PostgresVersion,
  postgresVersions,
  type StopMode,
} from './postgres-server.ts'
export { generatePrismaClient } from './prisma-client.ts'
export { type PrometheusOptions, type PrometheusServer, type ScrapeJob, startPrometheus } from './prometheus.ts'
export { checkMetrics, checkPrometheusConfig, checkRules, testRules } from './promtool.ts'
export { type FaultProxy, type ProxyOptions, startProxy } from './proxy.ts'
export { queryOnce } from './query-once.ts'
export { type Replication, type ReplicationOptions, startReplication } from './replication.ts'
export { Terminal, type TerminalOptions } from './terminal.ts'
export { type WaitOptions, waitUntil } from './wait-until.ts'
export { countSessions, SESSIONS_OF_THE_APP, watchSessions } from './watch-sessions.ts'
