import { type ConnectionString, directUrlFor } from '@poolguard/core/postgres'
import { t } from '../../output/translate.ts'
import { usesTransactionPooler } from '../facts.ts'
import type { Rule } from '../rule.ts'

export const noDirectUrl: Rule = {
  id: 'no-direct-url',
  title: "Prisma's migrations go through the pooler",
  severity: 'critical',
  check: (facts) => {
    const { target, project, hasDirectUrl } = facts
    if (!target || !usesTransactionPooler(facts) || project.prismaDirectUrl !== false) return []
    return [
      {
        evidence: t`${target.source} leads to a pooler that shares server connections between clients, and neither schema.prisma nor prisma.config.ts has a direct URL.`,
        why: t`prisma migrate takes a session advisory lock and changes session settings: through such a pooler it hangs, or leaves the lock behind.`,
        change: t`${setUrl(target.url, hasDirectUrl)} then use it: directUrl = env("DIRECT_URL") in schema.prisma (Prisma 5 and 6), or datasource: { url: env('DIRECT_URL') } in prisma.config.ts (Prisma 7).`,
        data: { source: target.source, hasDirectUrl },
      },
    ]
  },
}

function setUrl(pooled: ConnectionString, hasDirectUrl: boolean): string {
  if (hasDirectUrl) return t`DIRECT_URL is set already;`
  const rule = directUrlFor(pooled)
  return rule ? t`Set DIRECT_URL to ${rule.url};` : t`Set DIRECT_URL to the URL of PostgreSQL itself;`
}
