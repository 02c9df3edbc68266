import { directUrlFor } from '@poolguard/core/postgres'
import { usesTransactionPooler } from '../facts.ts'
import type { Rule } from '../rule.ts'

export const noDirectUrl: Rule = {
  id: 'no-direct-url',
  title: "Prisma's migrations go through the pooler",
  severity: 'critical',
  check: (facts) => {
    const { target, project, hasDirectUrl } = facts
    if (!target || !usesTransactionPooler(facts) || project.prismaDirectUrl !== false) return []
    const rule = directUrlFor(target.url)
    const url = rule ? `${rule.url}` : 'the URL of PostgreSQL itself'
    const config = hasDirectUrl ? 'DIRECT_URL is set already; ' : `Set DIRECT_URL to ${url}; `
    return [
      {
        evidence: `${target.source} leads to a pooler that shares server connections between clients, and neither schema.prisma nor prisma.config.ts has a direct URL.`,
        why: 'prisma migrate takes a session advisory lock and changes session settings: through such a pooler it hangs, or leaves the lock behind.',
        change: `${config}then use it: directUrl = env("DIRECT_URL") in schema.prisma (Prisma 5 and 6), or datasource: { url: env('DIRECT_URL') } in prisma.config.ts (Prisma 7).`,
        data: { source: target.source, hasDirectUrl },
      },
    ]
  },
}
