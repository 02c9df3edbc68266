import pg from 'pg'
import type { ServerFacts } from '../database/server-facts.ts'
import { joinSentences, t } from '../output/translate.ts'
import { blame } from './blame.ts'
import type { Facts } from './facts.ts'
import { makeRoom } from './make-room.ts'
import type { Finding } from './rule.ts'
import { fittingLimit, nearlyUsed, type UsedLimit } from './used-limits.ts'

/** Findings about the limits of all roles, or of all databases, not only those of the role that runs doctor. */
export function connectionLimitFindings(kind: 'role' | 'database', facts: Facts): readonly Finding[] {
  const { server } = facts
  return server ? nearlyUsed(server, kind).map((used) => finding(kind, used, server, facts)) : []
}

function finding(kind: 'role' | 'database', used: UsedLimit, server: ServerFacts, facts: Facts): Finding {
  const cause = blame(used.sessions, server)
  const what =
    kind === 'role'
      ? t`The role ${used.name} has ${used.used} of the ${used.limit} connections of its CONNECTION LIMIT.`
      : t`The database ${used.name} has ${used.used} of the ${used.limit} connections of its CONNECTION LIMIT.`
  return {
    evidence: joinSentences(what, cause?.evidence),
    why:
      used.used >= used.limit
        ? t`The server rejects every new connection to it, although others can still connect.`
        : t`The server will reject new connections to it during the next deploy or burst of requests, although others can connect.`,
    now: cause?.now ?? [],
    change: [raise(kind, used, server), makeRoom(facts)].join('\n'),
    data: { [kind]: used.name, used: used.used, limit: used.limit, ...cause?.data },
  }
}

/** The limit that fits into what the server can give, if that is more. */
function raise(kind: 'role' | 'database', { name, limit }: UsedLimit, server: ServerFacts): string {
  const fitting = fittingLimit(server, (session) => session[kind] === name)
  if (fitting <= limit) {
    return t`There is no room to raise the limit: of the ${server.openSlots} connections that are not reserved, other sessions and a headroom leave ${Math.max(0, fitting)}.`
  }
  return t`The server has room for a higher limit, which applies at once: \`ALTER ${kind.toUpperCase()} ${pg.escapeIdentifier(name)} CONNECTION LIMIT ${fitting};\``
}
