import { directUrlFor } from '@poolguard/core/postgres'
import { throughTransactionPooler } from '../facts.ts'
import type { Rule } from '../rule.ts'

export const noDirectUrl: Rule = {
  id: 'no-direct-url',
  title: 'Migrations go through the pooler',
  severity: 'critical',
  check: (facts) => {
    const { target, project, hasDirectUrl } = facts
    if (!target || !throughTransactionPooler(facts) || project.prismaDirectUrl !== false) return []
    const rule = directUrlFor(target.url)
    const url = rule ? `${rule.url}` : 'the URL of PostgreSQL itself'
    const config = hasDirectUrl ? 'It is set already; ' : `Set DIRECT_URL to ${url}; `
    return [
      {
        evidence: `${target.source} leads to a pooler that shares its servers, and neither schema.prisma nor prisma.config.ts names another URL.`,
        why: 'prisma migrate takes a session advisory lock and sets things for its session: through such a pooler it hangs, or leaves the lock behind.',
        change: `${config}then directUrl = env("DIRECT_URL") in the schema (up to 6), or datasource: { url: env('DIRECT_URL') } in prisma.config.ts (7).`,
      },
    ]
  },
}
