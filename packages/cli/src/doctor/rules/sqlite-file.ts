import { t } from '../../output/translate.ts'
import type { Rule } from '../rule.ts'

export const sqliteFile: Rule = {
  id: 'sqlite-file',
  title: 'The SQLite database of the project has a problem',
  severity: 'critical',
  check: ({ sqlite }) =>
    (sqlite?.checks ?? [])
      .filter(({ status }) => status === 'failed')
      .map(({ name, detail }) => ({
        evidence: t`${sqlite?.path} (${sqlite?.source}), ${name}: ${detail}`,
        why: t`SQLite has no server: the file, its locks and its write-ahead log are what all processes share.`,
        now: [{ text: t`Check the file again after the change:`, run: `npx poolguard verify ${sqlite?.shown}` }],
        change: detail,
        data: { path: sqlite?.path, check: name },
      })),
}
