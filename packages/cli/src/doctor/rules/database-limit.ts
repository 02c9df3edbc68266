import { connectionLimitFindings } from '../connection-limit-findings.ts'
import type { Rule } from '../rule.ts'

export const databaseLimit: Rule = {
  id: 'database-limit',
  title: 'A database has used up its CONNECTION LIMIT',
  severity: 'critical',
  check: (facts) => connectionLimitFindings('database', facts),
}
