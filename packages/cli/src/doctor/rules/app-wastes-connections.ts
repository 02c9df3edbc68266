import { t } from '../../output/translate.ts'
import type { Rule } from '../rule.ts'

/** Fewer are enough to begin with. */
const MAX_FINDINGS = 10
const POSITION = /^(.*):(\d+)$/

export const appWastesConnections: Rule = {
  id: 'app-wastes-connections',
  title: 'Code of the app uses more connections, or holds them longer, than it needs',
  severity: 'warning',
  check: ({ app }) =>
    (app?.pools ?? [])
      .flatMap(({ name, findings }) => findings.map((finding) => ({ name, ...finding })))
      .toSorted((a, b) => b.usedShare - a.usedShare)
      .slice(0, MAX_FINDINGS)
      .map(({ name, kind, label, text, site, usedShare, count }) => ({
        evidence: t`Pool ${name} of ${app?.url}: ${text}`,
        why: t`While a connection does nothing, another caller waits for it. A larger pool would only move the wait to the database.`,
        change: site
          ? t`Change the code at ${site}.`
          : t`Find the code with pool.insight(), which shows the lines of the app.`,
        data: { pool: name, kind, label, usedShare, count },
        ...placeOf(site),
      })),
}

function placeOf(site: string | null): { readonly place?: { readonly file: string; readonly line: number } } {
  const [, file, line] = POSITION.exec(site ?? '') ?? []
  return file === undefined ? {} : { place: { file, line: Number(line) } }
}
