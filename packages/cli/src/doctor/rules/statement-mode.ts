import { describeTopology } from '@poolguard/core'
import { t } from '../../output/translate.ts'
import { translateFromCore } from '../../output/translate-from-core.ts'
import type { Rule } from '../rule.ts'

export const statementMode: Rule = {
  id: 'statement-mode',
  title: 'The pooler rejects every transaction',
  severity: 'critical',
  check: ({ server }) =>
    server?.topology.kind === 'pooler' && server.topology.pooler.mode === 'statement'
      ? [
          {
            evidence: t`${translateFromCore(describeTopology(server.topology))}: ${server.topology.evidence.map(translateFromCore).join('; ')}.`,
            why: t`BEGIN fails in statement mode, and so does every transaction of an ORM.`,
            change: t`Set pool_mode = transaction in pgbouncer.ini (or for this database in [databases]) and RELOAD.`,
            data: { mode: 'statement' },
          },
        ]
      : [],
}
