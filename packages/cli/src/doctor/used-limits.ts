import type { ServerFacts } from '../database/server-facts.ts'
import { clientSessions, type Session } from '../sessions/session.ts'

/** From this share on, the next deploy or burst of requests reaches a limit. */
const NEARLY_USED = 0.9

/** A limit on connections, and the sessions that count towards it. */
export interface UsedLimit {
  readonly kind: 'server' | 'role' | 'database'
  /** Of the role or the database; empty for the server. */
  readonly name: string
  readonly limit: number
  readonly used: number
  readonly sessions: readonly Session[]
}

/** The limits of the server and of all its roles and databases. */
function usedLimits({ openSlots, sessions, unlisted, limits }: ServerFacts): readonly UsedLimit[] {
  const clients = clientSessions(sessions)
  const server = {
    kind: 'server',
    name: '',
    limit: openSlots,
    used: clients.length + unlisted,
    sessions: clients,
  } as const
  const others = limits.map(({ kind, name, limit }) => {
    const counted = clients.filter((session) => session[kind] === name)
    return { kind, name, limit, used: counted.length, sessions: counted }
  })
  return [server, ...others]
}

/** The limits of one kind that are nearly used up, the fullest first. A limit of 0 keeps a role or database closed on purpose. */
export function nearlyUsed(server: ServerFacts, kind: UsedLimit['kind']): readonly UsedLimit[] {
  return usedLimits(server)
    .filter((each) => each.kind === kind && each.limit > 0 && each.used >= each.limit * NEARLY_USED)
    .sort((a, b) => a.limit - a.used - (b.limit - b.used))
}

/** Connections that stay free for people and migrations: as many as a plan keeps. */
function headroomOf(slots: number): number {
  return Math.max(3, Math.ceil(slots / 10))
}

/**
 * The CONNECTION LIMIT that leaves the server its headroom and the other sessions theirs. Below 1 there is no room at all.
 */
export function fittingLimit({ openSlots, sessions }: ServerFacts, counts: (session: Session) => boolean): number {
  const others = clientSessions(sessions).filter((session) => !counts(session)).length
  return openSlots - headroomOf(openSlots) - others
}
