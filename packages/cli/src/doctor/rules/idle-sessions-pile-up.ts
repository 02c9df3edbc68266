import { nameSessions } from '../name-sessions.ts'
import type { Rule } from '../rule.ts'

const MIN_SESSIONS = 10
const MIN_SHARE = 0.8

export const idleSessionsPileUp: Rule = {
  id: 'idle-sessions-pile-up',
  title: 'An application holds many idle connections',
  severity: 'warning',
  check: ({ server }) =>
    (server?.applications ?? [])
      .filter(({ longIdle, sessions }) => longIdle >= MIN_SESSIONS && longIdle >= sessions * MIN_SHARE)
      .map(({ application, role, longIdle, sessions }) => ({
        evidence: `${longIdle} of ${sessions} sessions of ${nameSessions(application)} (role ${role}) have been idle for more than ten minutes.`,
        why: 'Either the app leaks them (it creates a pool for each request or each hot reload), or its pools are too large. Other applications cannot use these connections.',
        change:
          'Create one pool for each process and keep it (guardPool keeps one for each name across hot reloads), and close idle connections: idleTimeoutMillis: 30000 (pg), idle_timeout: 30 (postgres.js).',
        data: { application, role, sessions, longIdle },
      })),
}
