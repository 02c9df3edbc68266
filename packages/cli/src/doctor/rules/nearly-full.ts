import pg from 'pg'
import type { ServerFacts } from '../../database/server-facts.ts'
import { joinSentences, t } from '../../output/translate.ts'
import { blame } from '../blame.ts'
import type { Facts } from '../facts.ts'
import { makeRoom } from '../make-room.ts'
import type { Finding, Rule } from '../rule.ts'
import { fittingLimit, nearlyUsed, type UsedLimit } from '../used-limits.ts'

export const nearlyFull: Rule = {
  id: 'nearly-full',
  title: 'At least 90 % of the connections are in use',
  severity: 'critical',
  check: (facts) => {
    const { server } = facts
    return server ? nearlyUsed(server, 'server').map((limit) => finding(limit, server, facts)) : []
  },
}

function finding({ used, limit, sessions }: UsedLimit, server: ServerFacts, facts: Facts): Finding {
  const cause = blame(sessions, server)
  return {
    evidence: joinSentences(t`${used} of ${limit} connections that are not reserved are open.`, cause?.evidence),
    why:
      used >= limit
        ? t`The server rejects every new connection now.`
        : t`The server will reject connections during the next deploy or burst of requests.`,
    now: cause?.now ?? [],
    change: [makeRoom(facts), cause && limitRole(cause.process.role, server)].filter(Boolean).join('\n'),
    data: { used, limit, ...cause?.data },
  }
}

/** Keeps the role that fills the server from taking the connections of the others. Superusers have no limit. */
function limitRole(role: string, server: ServerFacts): string {
  const ofRole = server.sessions.filter((session) => session.role === role)
  if (ofRole.some(({ isProtected }) => isProtected)) {
    return t`${role} is a superuser, which has no CONNECTION LIMIT: let the app log in as a plain role.`
  }
  const fitting = fittingLimit(server, (session) => session.role === role)
  const present = server.limits.find(({ kind, name }) => kind === 'role' && name === role)?.limit
  if (fitting < 1 || (present !== undefined && present <= fitting)) return ''
  return t`To keep connections free for other roles: \`ALTER ROLE ${pg.escapeIdentifier(role)} CONNECTION LIMIT ${fitting};\` It applies to new sessions; the ${ofRole.length} open ones stay.`
}
