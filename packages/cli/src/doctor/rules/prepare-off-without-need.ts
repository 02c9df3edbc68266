import { t } from '../../output/translate.ts'
import { translateFromCore } from '../../output/translate-from-core.ts'
import type { Rule } from '../rule.ts'

export const prepareOffWithoutNeed: Rule = {
  id: 'prepare-off-without-need',
  title: 'Prepared statements are off although they work here',
  severity: 'warning',
  check: ({ server, project }) => {
    if (server?.topology.preparedStatements !== 'safe') return []
    const seen = server.topology.evidence.map(translateFromCore).join('; ')
    return project.statements
      .filter(({ kind }) => kind === 'prepare-false')
      .map(({ file, line }) => ({
        evidence: t`prepare: false in ${file}:${line}. ${seen}.`,
        why: t`PostgreSQL parses and plans every query again: 1.4 to 7 times fewer queries per second in poolguard's benchmark.`,
        change: t`Remove prepare: false, or use @poolguard/postgres-js, which turns prepared statements on where they work.`,
        data: {},
        place: { file, line },
      }))
  },
}
