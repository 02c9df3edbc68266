import type { UsageRow } from '@poolguard/core/postgres'
import { clientSessions, type Session } from './session.ts'

/** Counts sessions by application, role and database, as the query for the budget does. */
export function usageOf(sessions: readonly Session[]): readonly UsageRow[] {
  const rows = new Map<string, UsageRow>()
  for (const { application, role, database, isSameRole, isSameDatabase, startedAt } of clientSessions(sessions)) {
    const key = JSON.stringify([application, role, database])
    const row = rows.get(key)
    rows.set(key, {
      ...{ application, role, database },
      ...{ sameRole: isSameRole, sameDatabase: isSameDatabase },
      connections: (row?.connections ?? 0) + 1,
      hidden: (row?.hidden ?? 0) + (startedAt === null ? 1 : 0),
    })
  }
  return [...rows.values()]
}
