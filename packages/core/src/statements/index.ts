export { AutomaticStatements } from './automatic-statements.ts'
export { changesSession, mayCallSetConfig, type SessionChange } from './changes-session.ts'
export { ConnectionStatements } from './connection-statements.ts'
export { fingerprint } from './fingerprint.ts'
export { hideStrings } from './hide-strings.ts'
export { lintStatement } from './lint-statement.ts'
export { ListenTracker } from './listen-tracker.ts'
export { PoolTransactionCheck, PoolTransactionError } from './pool-transaction-check.ts'
export { type PrepareOptions, type PreparingState, UNDETECTED, validatePrepareOptions } from './prepare-options.ts'
export type { PreparedText } from './prepared-text.ts'
export { RecentKeys } from './recent-keys.ts'
export {
  type SessionDependency,
  SessionStateCheck,
  SessionStateError,
} from './session-state-check.ts'
export type { SessionStateMode } from './session-state-mode.ts'
export { type ShareMode, shareObstacle } from './share-obstacle.ts'
export { showStatement } from './show-statement.ts'
export { classifyStatementFailure, type StatementFailure } from './statement-failure.ts'
export type { StatementFinding, StatementFindingCode } from './statement-finding.ts'
export { StatementLint, type StatementLintOptions } from './statement-lint.ts'
