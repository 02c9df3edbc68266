import { nameSessions } from '../name-sessions.ts'
import type { Rule } from '../rule.ts'

const LEAST = 10
const SHARE = 0.8

export const idleSessionsPileUp: Rule = {
  id: 'idle-sessions-pile-up',
  title: 'An application keeps many connections that it does not use',
  severity: 'warning',
  check: ({ server }) =>
    (server?.applications ?? [])
      .filter(({ longIdle, sessions }) => longIdle >= LEAST && longIdle >= sessions * SHARE)
      .map(({ application, role, longIdle, sessions }) => ({
        evidence: `${longIdle} of ${sessions} sessions of ${application === '' ? 'no application_name' : nameSessions(application)} (${role}) have been idle for more than ten minutes.`,
        why: 'They were leaked (a pool made for each request or each hot reload), or the pools are larger than they need to be. Others cannot have them.',
        change:
          'Make one pool for each process and keep it (guardPool keeps one per name over hot reloads), and close what is idle: idleTimeoutMillis 30000 (pg), idle_timeout 30 (postgres.js).',
      })),
}
