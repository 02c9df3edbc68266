export type { Finding, FindingCode } from './finding.ts'
export { lintStatement } from './lint-statement.ts'
export { StatementLint, type StatementLintOptions } from './statement-lint.ts'
