import type { UsageRow } from '@poolguard/core/postgres'
import { countByApplication } from '../../database/count-by-application.ts'
import type { ServerFacts } from '../../database/server-facts.ts'
import { endIdle } from '../held-connections.ts'
import { makeRoom } from '../make-room.ts'
import { nameSessions } from '../name-sessions.ts'
import type { Finding, Rule } from '../rule.ts'

const SHARE = 0.9

export const nearlyFull: Rule = {
  id: 'nearly-full',
  title: 'At least 90 % of the connections are in use',
  severity: 'critical',
  check: (facts) => {
    const { server } = facts
    const [tightest] = server ? limitsOf(server).sort((a, b) => a.of - a.taken - (b.of - b.taken)) : []
    return tightest && tightest.taken >= tightest.of * SHARE ? [finding(tightest, makeRoom(facts))] : []
  },
}

interface Limit {
  readonly taken: number
  readonly of: number
  readonly what: string
  readonly rows: readonly UsageRow[]
}

/** The limits of the server, of this role and of this database. Each limit counts its own sessions. */
function limitsOf({ capacity, openSlots, usage, role, database }: ServerFacts): Limit[] {
  const limit = (of: number, what: string, rows: readonly UsageRow[]): Limit => ({
    taken: rows.reduce((sum, { connections }) => sum + connections, 0),
    of,
    what,
    rows,
  })
  const { roleLimit, databaseLimit } = capacity
  const limits = [limit(openSlots, 'connections that are not reserved', usage)]
  if (roleLimit !== null) {
    const own = usage.filter(({ sameRole }) => sameRole)
    limits.push(limit(roleLimit, `connections that ${role} may have (CONNECTION LIMIT)`, own))
  }
  if (databaseLimit !== null) {
    const here = usage.filter(({ sameDatabase }) => sameDatabase)
    limits.push(limit(databaseLimit, `connections that the database ${database} may have (CONNECTION LIMIT)`, here))
  }
  return limits
}

function finding({ taken, of, what, rows }: Limit, room: string): Finding {
  const [first] = countByApplication(rows)
  const spread = first?.instances === undefined ? '' : ` in ${first.instances} instances`
  const most = first
    ? `; most of them by ${nameSessions(first.application)} (role ${first.role}, ${first.connections}${spread})`
    : ''
  return {
    evidence: `${taken} of ${of} ${what} are open${most}.`,
    why:
      taken >= of
        ? 'The server rejects every new connection now.'
        : 'The server will reject connections during the next deploy or burst of requests.',
    change:
      taken >= of
        ? [
            '1. Close idle sessions (needs pg_signal_backend for sessions of other roles):',
            `   ${endIdle(first?.role)}`,
            `2. ${room}`,
          ].join('\n')
        : room,
    data: {
      used: taken,
      limit: of,
      ...(first && { application: first.application, role: first.role, connections: first.connections }),
    },
  }
}
