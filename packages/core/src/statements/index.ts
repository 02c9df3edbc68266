export type { Finding, FindingCode } from './finding.ts'
export { lintStatement } from './lint-statement.ts'
export { type LintMode, type Reliance, SessionGuard, SessionStateError } from './session-guard.ts'
export { StatementLint, type StatementLintOptions } from './statement-lint.ts'
