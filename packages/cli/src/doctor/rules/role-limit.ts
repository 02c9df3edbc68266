import { connectionLimitFindings } from '../connection-limit-findings.ts'
import type { Rule } from '../rule.ts'

export const roleLimit: Rule = {
  id: 'role-limit',
  title: 'A role has used up its CONNECTION LIMIT',
  severity: 'critical',
  check: (facts) => connectionLimitFindings('role', facts),
}
