/**
 * The parts that poolguard's own adapters use on open connections. An adapter loads them with `import()` when its pool opens the first
 * connection, because a process that only imports a pool needs none of them. Like `@poolguard/core/adapter`, they are not covered by
 * semantic versioning.
 *
 * @module @poolguard/core/connection
 */

export {
  CallerAbort,
  ConnectionDriver,
  cancelUntilAtRest,
  comesToRest,
  StartupParameters,
} from './guard/index.ts'
export { InvalidAnswerError } from './invalid-answer-error.ts'
export { InsightRecorder } from './observe/index.ts'
export { SharedStatement } from './pipelining/index.ts'
export { isFatal, SessionHealth, SharedHealth } from './postgres-errors/index.ts'
export { readRows } from './row-reader.ts'
export {
  ConnectionStatements,
  changesSession,
  classifyStatementFailure,
  mayCallSetConfig,
  shareObstacle,
} from './statements/index.ts'
export {
  PGBOUNCER_CONSOLE,
  readPgBouncerClients,
  readPgBouncerConfig,
  readPgBouncerDatabases,
  readPgBouncerLists,
  readPgBouncerPools,
  readPgBouncerStats,
  readPgBouncerVersion,
} from './topology/index.ts'
